/* api.c: what the Python package calls, by ctypes, with the GIL held: the session that a program begins itself, and
 * questions to pyrometer, which reads the stream and has the sums. Sentences are static texts; NULL: all went well.
 *
 * In a program that `pyrometer memory` started its session serves. Else only Python's own allocators are heard, while
 * pyrometer_memory_listen() says so. */
#include <pthread.h>

#include "agent/codes/codes.h"
#include "agent/memory/domains.h"
#include "agent/memory/session.h"
#include "agent/memory/writer.h"
#include "agent/python/python.h"

#define EXPORT __attribute__((visibility("default")))

enum { API_VERSION = 1 };

EXPORT int pyrometer_memory_version(void);
EXPORT void pyrometer_memory_set_package(const char *folder);
EXPORT int pyrometer_memory_is_on(void);
EXPORT int pyrometer_memory_is_own(void);
EXPORT const char *pyrometer_memory_begin(const char *orders);
EXPORT void pyrometer_memory_end(void);
EXPORT void pyrometer_memory_listen(int on);
EXPORT const char *pyrometer_memory_folder(void);
EXPORT void pyrometer_memory_quiet(int on);
EXPORT void pyrometer_memory_mark(const char *name, size_t size);
EXPORT uint32_t pyrometer_memory_ask(uint32_t what, uint32_t watch, int wait);
EXPORT int pyrometer_memory_answer(uint32_t question, uint64_t *ret_words);

static struct orders own_orders; /* of a session that the program itself began */
static uint32_t own_session;

int pyrometer_memory_version(void)
{
	return API_VERSION;
}

void pyrometer_memory_set_package(const char *folder)
{
	codes_set_package(folder);
}

int pyrometer_memory_is_on(void)
{
	return recorder_is_on();
}

int pyrometer_memory_is_own(void)
{
	return recorder_is_on() && own_session == recorder.sessions;
}

static void in_child(void)
{
	recorder_forget();
	memory_session_forget_threads();
}

const char *pyrometer_memory_begin(const char *text)
{
	static bool prepared;
	if (recorder_is_on())
		return NULL;
	if (!prepared && !python_find())
		return session_unfit();
	if (!prepared)
		pthread_atfork(NULL, NULL, in_child);
	prepared = true;
	if (!orders_read(&own_orders, text))
		return "this is no order that the agent knows";
	memory_thread.inside++;
	const char *why = memory_session_open(&own_orders);
	memory_thread.inside--;
	own_session = why ? 0 : recorder.sessions;
	return why;
}

/* Of a session that the program began, and nobody reads. */
void pyrometer_memory_end(void)
{
	memory_thread.inside++;
	domains_unhook();
	memory_thread.inside--;
	recorder_close(SEGMENT_SEALED, "pyrometer, which was to read along, could not be started");
}

void pyrometer_memory_listen(int on)
{
	memory_thread.inside++;
	if (on)
		domains_hook(/* all= */ true);
	else
		domains_unhook();
	memory_thread.inside--;
}

const char *pyrometer_memory_folder(void)
{
	return memory_session_folder();
}

void pyrometer_memory_quiet(int on)
{
	memory_thread.quiet += on ? 1 : -1;
}

/* A phase of the program begins. */
void pyrometer_memory_mark(const char *name, size_t size)
{
	struct memory_thread *t = &memory_thread;
	if (!memory_thread_is_on(t))
		return;
	t->inside++;
	uint32_t unit = recorder_add_code(&(struct recorder_code){
		.flags = SEGMENT_CODE_TYPE, .name = { name, size < SEGMENT_NAME_MAX ? size : SEGMENT_NAME_MAX - 1 } });
	if (unit)
		memory_write_at(ticks_now(), t->writer, STREAM_PHASE, 0, unit, 0, 0, 0);
	t->inside--;
}

/* The number of the question; 0: nothing is measured, or no answer is awaited. */
uint32_t pyrometer_memory_ask(uint32_t what, uint32_t watch, int wait)
{
	struct memory_thread *t = &memory_thread;
	if (!memory_thread_is_on(t))
		return 0;
	uint32_t number = wait ? atomic_fetch_add(&recorder.head->asked, 1) + 1 : 0;
	t->inside++;
	/* By the clock: two questions are not of the same moment. */
	memory_write_at(ticks_now(), t->writer, STREAM_ASK, 0, what, 2, watch, number);
	t->inside--;
	return number;
}

/* 1: there it is; 0: not yet; -1: nobody will answer any more; -2: a later question was answered. */
int pyrometer_memory_answer(uint32_t question, uint64_t *ret_words)
{
	if (!recorder_is_on())
		return -1;
	uint32_t answered = atomic_load_explicit(&recorder.head->answered, memory_order_acquire);
	if (answered != question)
		return (int32_t)(answered - question) > 0 ? -2 : 0;
	for (int i = 0; i < SEGMENT_ANSWER; i++)
		ret_words[i] = recorder.head->answer[i];
	return 1;
}
