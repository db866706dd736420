/* session.c: the session (agent/session.h) of `memory`: from the process's begin to its end. */
#include "agent/memory/session.h"

#include <pthread.h>

#include "agent/memory/domains.h"
#include "agent/memory/followed.h"
#include "agent/memory/interpreter.h"
#include "agent/memory/real.h"
#include "agent/memory/record.h"
#include "agent/python/python.h"
#include "agent/session_file.h"

_Atomic bool record_main_ended;

static void mark(enum stream_mark mark)
{
	struct memory_thread *t = &memory_thread;
	if (!memory_thread_is_on(t))
		return;
	t->inside++;
	memory_write_at(ticks_now(), t->writer, STREAM_MARK, 0, mark, 0, 0, 0);
	t->inside--;
}

void record_end_of_main(struct memory_writer *writer)
{
	if (!atomic_exchange(&record_main_ended, true))
		memory_write_at(ticks_now(), writer, STREAM_MARK, 0, STREAM_MAIN_ENDS, 0, 0, 0);
}

const char *session_unfit(void)
{
	return python.version < 0x03080000
		       ? "memory is measured from Python 3.8 on; `pyrometer memory --rss` takes any program"
		       : "this Python lacks functions that measuring its memory needs";
}

static char folder[512]; /* of the segment */

const char *memory_session_folder(void)
{
	return recorder_is_on() ? folder : "";
}

const char *memory_session_open(const struct orders *orders)
{
	const char *where = orders_get(orders, "folder");
	const char *why = session_file_open(orders);
	if (why)
		return why;
	memcpy(folder, where, strlen(where) + 1); /* it had room for more */
	recorder.head->mode = SEGMENT_MEMORY;
	recorder.head->timeline = 1;
	why = interpreter.layout ? NULL : interpreter_find();
	if (!why && !domains_hook(orders_get(orders, "domains") != NULL))
		why = session_unfit();
	if (why)
		recorder_close(SEGMENT_SEALED, why);
	else
		atomic_store(&recorder.head->state, SEGMENT_RUNNING);
	return why;
}

void memory_session_forget_threads(void)
{
	memory_writers_forget();
	interpreter_forget_threads();
}

/* Where the child is followed, session_go_on() has come first. */
static void in_child(void)
{
	if (!recorder_is_on())
		memory_session_forget_threads();
}

void session_prepare(const struct orders *orders)
{
	memory_thread.inside++;
	real_find();
	pthread_atfork(NULL, NULL, in_child);
	memory_session_open(orders);
	memory_thread.inside--;
}

const char *session_begin(const struct orders *orders)
{
	const char *why = NULL;
	memory_thread.inside++;
	/* What the interpreter's configuration has put into their place meanwhile. */
	domains_hook(orders_get(orders, "domains") != NULL);
	if (orders_get(orders, "lines") && recorder_is_on())
		why = followed_begin(orders);
	if (why)
		recorder_close(SEGMENT_SEALED, why);
	memory_thread.inside--;
	mark(STREAM_MAIN_BEGINS);
	return why;
}

/* What a child had from its parent was not got in it, and is nobody's there. */
void session_go_on(const struct orders *orders, const struct segment_head *before)
{
	(void)before;
	memory_session_forget_threads();
	memory_thread.inside++;
	memory_session_open(orders);
	memory_thread.inside--;
	mark(STREAM_MAIN_BEGINS);
}

void session_refuse(const struct orders *orders, const char *why)
{
	if (!recorder_is_on() && !session_file_open(orders))
		recorder_close(SEGMENT_SEALED, why);
}
