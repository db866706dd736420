/* segment_kit.h: a segment that a test writes as the agent does (agent/segment/recorder.h), and what the drain makes of
 * it. */
#pragma once
#include "agent/segment/recorder.h"
#include "inject/drain.h"
#include "recording_kit.h"

extern char segment_path[64];

/* cmocka's setup and teardown. */
int segment_begin(void **state);
int segment_end(void **state);

uint32_t segment_add_code(const char *name);
/* Of the whole segment, into a kit that is made here. */
struct error *segment_drain(struct kit *kit);

/* NULL: there is none. */
const struct event *segment_find(const struct kit *kit, uint32_t stack, enum subject subject);
/* The id of the path, outermost name first; 0: there is none. `parent`: 0. */
uint32_t segment_find_stack(const struct kit *kit, const char *const *names, uint32_t parent);
#define PATH(...) ((const char *const[]){ __VA_ARGS__, NULL })
