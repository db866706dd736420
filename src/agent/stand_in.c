#include "agent/stand_in.h"

#include <dlfcn.h>

#include "agent/codes/codes.h"
#include "agent/hooks.h"
#include "agent/old_libc.h"

/* What a decorator is put on is given back as it is. `mark` takes a code object. */
static const char source[] =
	"import builtins, sys, types\n"
	"comprehensions = '<listcomp>', '<setcomp>', '<dictcomp>', '<genexpr>'\n"
	"class Profile:\n"
	"    def __call__(self, what=None, **options):\n"
	"        if what is not None: self.add(what)\n"
	"        return self if what is None else what\n"
	"    def add(self, what):\n"
	"        if isinstance(what, type):\n"
	"            for each in list(vars(what).values()):\n"
	"                if not isinstance(each, type): self.add(each)\n"
	"        elif isinstance(what, types.ModuleType):\n"
	"            for each in list(vars(what).values()):\n"
	"                if getattr(each, '__module__', None) == what.__name__: self.add(each)\n"
	"        elif isinstance(what, property):\n"
	"            for each in (what.fget, what.fset, what.fdel): self.add(each)\n"
	"        else:\n"
	"            for name in ('__wrapped__', '__func__', 'func'):\n"
	"                inner = getattr(what, name, None)\n"
	"                if inner is not None: self.add(inner)\n"
	"            code = getattr(what, '__code__', None)\n"
	"            if isinstance(code, types.CodeType): self.mark(code)\n"
	"        return 1\n"
	"    def mark(self, code):\n"
	"        mark(code)\n"
	"        for each in code.co_consts:\n"
	"            if isinstance(each, types.CodeType) and each.co_name in comprehensions: self.mark(each)\n"
	"    add_function = add_callable = add_class = add_module = add\n"
	"    def wrap_callable(self, what): return self(what)\n"
	"    wrap_function = wrap_callable\n"
	"    def enable(self, *words, **options): pass\n"
	"    disable = enable_by_count = disable_by_count = print_stats = dump_stats = show = enable\n"
	"    def __enter__(self): return self\n"
	"    def __exit__(self, *words): pass\n"
	"    def runcall(self, function, *words, **options): return self(function)(*words, **options)\n"
	"    def runctx(self, text, globals, locals): exec(text, globals, locals); return self\n"
	"    def run(self, text):\n"
	"        main = sys.modules['__main__'].__dict__\n"
	"        return self.runctx(text, main, main)\n"
	"profile = Profile()\n"
	"class Loader:\n"
	"    def __init__(self, real): self.real = real\n"
	"    def create_module(self, spec): return self.real.create_module(spec) if self.real else None\n"
	"    def exec_module(self, module):\n"
	"        if self.real: self.real.exec_module(module)\n"
	"        else: module.LineProfiler = lambda *functions: ([profile.add(each) for each in functions], profile)[1]\n"
	"        module.profile = profile\n"
	"    def __getattr__(self, name): return getattr(self.real, name)\n"
	"class Finder:\n"
	"    def find_spec(self, name, path=None, target=None):\n"
	"        if name not in ('line_profiler', 'memory_profiler'): return None\n"
	"        spec = None\n"
	"        for finder in sys.meta_path:\n"
	"            spec = finder is not self and hasattr(finder, 'find_spec') and finder.find_spec(name, path, target) or None\n"
	"            if spec: break\n"
	"        from importlib.machinery import ModuleSpec\n"
	"        if spec and spec.loader: spec.loader = Loader(spec.loader)\n"
	"        return spec or ModuleSpec(name, Loader(None))\n"
	"sys.meta_path.insert(0, Finder())\n"
	"if not hasattr(builtins, 'profile'): builtins.profile = profile\n";

/* As CPython has it. */
struct method_definition {
	const char *name;
	object *(*function)(object *self, object *argument);
	int flags;
	const char *doc;
};
enum { METHOD_OF_ONE = 8, INPUT_FILE = 257 };

static object *mark(object *self, object *code)
{
	(void)self;
	hooks_choose(code);
	python.keep(python.none);
	return python.none;
}

static void forget(object *o)
{
	if (o)
		python.forget(o);
}

void stand_in_put(void)
{
	static struct method_definition definition = { "mark", mark, METHOD_OF_ONE, NULL };
	object *(*make)(void *, object *, object *) = (object * (*)(void *, object *, object *))
		dlsym(RTLD_DEFAULT, "PyCFunction_NewEx");
	static const char run[] = "exec(compile(source, '" CODES_OWN_FILE "', 'exec'), globals())";
	object *names = python.new_dict(), *function = make ? make(&definition, NULL, NULL) : NULL, *done = NULL;
	if (names && function &&
		(done = python.call_method(names, "update", "({sOss})", "mark", function, "source", source))) {
		forget(done);
		done = python.evaluate(run, INPUT_FILE, names, names);
	}
	forget(done);
	forget(function);
	forget(names);
	python.clear_error();
}
