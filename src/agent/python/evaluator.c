#include "agent/python/evaluator.h"

#include <dlfcn.h>

#include "agent/old_libc.h"

evaluator evaluator_39;
evaluator_of_38 evaluator_38;

static struct {
	void *mine, *before;
	void *(*get)(void *interpreter); /* from 3.9 on */
	void (*set)(void *interpreter, void *evaluator);
} hook;

static void *get(void)
{
	return hook.get ? hook.get(old_python.interpreter)
			: old_python_word(old_python.interpreter, old_python.at.interp_eval_frame);
}

static void set(void *function)
{
	if (hook.set)
		hook.set(old_python.interpreter, function);
	else
		memcpy(old_python.interpreter + old_python.at.interp_eval_frame, &function, sizeof function);
}

const char *evaluator_begin(evaluator mine, evaluator_of_38 mine_of_38)
{
	enum { FIRST_WITH_THREAD = 0x03090000 };
	hook.get = (void *(*)(void *))dlsym(RTLD_DEFAULT, "_PyInterpreterState_GetEvalFrameFunc");
	hook.set = (void (*)(void *, void *))dlsym(RTLD_DEFAULT, "_PyInterpreterState_SetEvalFrameFunc");
	void *there = get();
	/* 3.8 has no function that says what is there, but when nothing else was put in, it is known. */
	if (!hook.get && there != dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault"))
		return "another tool evaluates this Python's frames, or this build is not laid out as others are";
	hook.mine = python.version >= FIRST_WITH_THREAD ? (void *)mine : (void *)mine_of_38;
	hook.before = there;
	evaluator_38 = (evaluator_of_38)there;
	evaluator_39 = (evaluator)there;
	return NULL;
}

void evaluator_put_in(void)
{
	set(hook.mine);
}

bool evaluator_take_out(void)
{
	if (hook.mine && get() == hook.mine)
		set(hook.before);
	return hook.mine;
}
