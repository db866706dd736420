/* domains.c: see domains.h. */
#include "agent/memory/domains.h"

#include <dlfcn.h>

#include "agent/memory/record.h"
#include "agent/old_libc.h"

/* PyMemAllocatorEx, PyObjectArenaAllocator. */
struct allocator {
	void *context;
	void *(*malloc)(void *, size_t);
	void *(*calloc)(void *, size_t, size_t);
	void *(*realloc)(void *, void *, size_t);
	void (*free)(void *, void *);
};
struct arenas {
	void *context;
	void *(*alloc)(void *, size_t);
	void (*free)(void *, void *, size_t);
};

enum { DOMAINS = 3 }; /* raw, mem, object: PyMemAllocatorDomain */

static struct domain {
	struct allocator before;
	enum stream_allocator allocator;
} domains[DOMAINS] = {
	{ .allocator = ALLOCATOR_RAW },
	{ .allocator = ALLOCATOR_MEM },
	{ .allocator = ALLOCATOR_OBJECT },
};
static struct arenas arenas_before;

/* What an allocator asks of another one is not measured again. */

static void *on_malloc(void *context, size_t size)
{
	const struct domain *d = context;
	memory_thread.inside++;
	void *got = d->before.malloc(d->before.context, size);
	memory_thread.inside--;
	record_alloc(d->allocator, got, size);
	return got;
}

static void *on_calloc(void *context, size_t count, size_t size)
{
	const struct domain *d = context;
	memory_thread.inside++;
	void *got = d->before.calloc(d->before.context, count, size);
	memory_thread.inside--;
	record_alloc(d->allocator, got, count * size);
	return got;
}

static void *on_realloc(void *context, void *before, size_t size)
{
	const struct domain *d = context;
	struct memory_thread *t = &memory_thread;
	bool on = memory_thread_is_on(t);
	if (on)
		record_free(STREAM_REALLOC, before);
	t->inside++;
	void *got = d->before.realloc(d->before.context, before, size);
	if (on)
		record_got_again(t, d->allocator, got, size, before != NULL);
	t->inside--;
	return got;
}

static void on_free(void *context, void *address)
{
	const struct domain *d = context;
	record_free(STREAM_FREE, address);
	memory_thread.inside++;
	d->before.free(d->before.context, address);
	memory_thread.inside--;
}

static void *on_arena_alloc(void *context, size_t size)
{
	(void)context;
	memory_thread.inside++;
	void *got = arenas_before.alloc(arenas_before.context, size);
	memory_thread.inside--;
	record_alloc(ALLOCATOR_ARENA, got, size);
	return got;
}

static void on_arena_free(void *context, void *address, size_t size)
{
	(void)context;
	record_free(STREAM_FREE, address);
	memory_thread.inside++;
	arenas_before.free(arenas_before.context, address, size);
	memory_thread.inside--;
}

/* ---- putting them in ---- */

static struct allocator probed;
static bool probe_reached;

static void *on_probe(void *context, size_t size)
{
	probe_reached = true;
	return probed.malloc(context, size);
}

/* Whether what stands there now comes by ours: tracemalloc, say, asks whoever stood there before. */
static bool leads_to_ours(const struct allocator *now, struct domain *d)
{
	if (!d->before.malloc)
		return false;
	probe_reached = false;
	probed = d->before;
	d->before.malloc = on_probe;
	now->free(now->context, now->malloc(now->context, 1));
	d->before = probed;
	return probe_reached;
}

static struct {
	void (*get)(int, struct allocator *), (*set)(int, struct allocator *);
	void (*get_arenas)(struct arenas *), (*set_arenas)(struct arenas *);
} python_has;

static bool find_functions(void)
{
	*(void **)&python_has.get = dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
	*(void **)&python_has.set = dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
	*(void **)&python_has.get_arenas = dlsym(RTLD_DEFAULT, "PyObject_GetArenaAllocator");
	*(void **)&python_has.set_arenas = dlsym(RTLD_DEFAULT, "PyObject_SetArenaAllocator");
	return python_has.get && python_has.set && python_has.get_arenas && python_has.set_arenas;
}

static void hook_arenas(void)
{
	struct arenas now, ours = { NULL, on_arena_alloc, on_arena_free };
	python_has.get_arenas(&now);
	if (now.alloc == on_arena_alloc)
		return;
	arenas_before = now;
	python_has.set_arenas(&ours);
}

bool domains_hook(bool all)
{
	if (!find_functions())
		return false;
	hook_arenas();
	for (int i = 0; all && i < DOMAINS; i++) {
		struct allocator now, ours = { &domains[i], on_malloc, on_calloc, on_realloc, on_free };
		python_has.get(i, &now);
		if (leads_to_ours(&now, &domains[i]))
			continue;
		domains[i].before = now;
		python_has.set(i, &ours);
	}
	return true;
}

void domains_unhook(void)
{
	struct arenas arenas;
	if (!find_functions())
		return;
	for (int i = 0; i < DOMAINS; i++) {
		struct allocator now;
		python_has.get(i, &now);
		if (now.context == &domains[i] && now.malloc == on_malloc)
			python_has.set(i, &domains[i].before);
	}
	python_has.get_arenas(&arenas);
	if (arenas.alloc == on_arena_alloc)
		python_has.set_arenas(&arenas_before);
}
