#include "segment_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

char segment_path[64];

int segment_begin(void **state)
{
	snprintf(segment_path, sizeof segment_path, "/tmp/pyrometer-test-%d.segment", (int)getpid());
	unlink(segment_path);
	assert_int_equal(recorder_open(segment_path, 0x030d0000, false), 0);
	atomic_store(&recorder.head->state, SEGMENT_RUNNING);
	return 0;
}

int segment_end(void **state)
{
	recorder_forget();
	unlink(segment_path);
	return 0;
}

uint32_t segment_add_code(const char *name)
{
	return recorder_add_code(&(struct recorder_code){
		.first_line = 7, .file = { "a.py", 4 }, .name = { name, strlen(name) }, .qualname = { "q", 1 } });
}

struct error *segment_drain(struct kit *kit)
{
	struct drain drain;
	struct process_def def = { .pid = 1 };
	*kit = (struct kit){ 0 };
	kit_init(kit);
	drain_init(&drain, &kit->sink);
	struct error *error = drain_segment(&drain, segment_path, &def, recorder.head->start_ns);
	drain_deinit(&drain);
	return error;
}

const struct event *segment_find(const struct kit *kit, uint32_t stack, enum subject subject)
{
	for (size_t i = 0; i < kit->events.count; i++)
		if (kit->events.data[i].stack == stack && kit->events.data[i].subject == subject)
			return &kit->events.data[i];
	return NULL;
}

uint32_t segment_find_stack(const struct kit *kit, const char *const *names, uint32_t parent)
{
	if (!*names)
		return parent;
	for (size_t i = 0; i < kit->stacks.count; i++) {
		const struct stack_def *def = &kit->stacks.data[i];
		const struct text name = kit->codes.data[def->code - 1].name;
		if (def->parent == parent && name.size == strlen(*names) && memcmp(name.data, *names, name.size) == 0)
			return segment_find_stack(kit, names + 1, def->id);
	}
	return 0;
}
