/* sites.h: the call sites of the target's code, each read from its instructions once. Code objects that are gone are
 * told apart by their ids, so what was read stays true. */
#pragma once
#include "cpython/call_site.h"
#include "sample/codes.h"

struct sites {
	struct map places;  /* code id and offset: what stands there */
	struct map nowhere; /* ids of caller and callee: the caller's code has no call of the callee */
};

void sites_deinit(struct sites *sites);

/* What stands at an offset of a code object, which must have that id. */
struct call_site sites_look(struct sites *sites, const struct codes *codes, uint64_t code, uint32_t id, int32_t offset);
/* The same, read again where it was not seen to push a frame: a call that ran C does so from when it is specialized for
 * Python. */
struct call_site sites_look_again(
	struct sites *sites, const struct codes *codes, uint64_t code, uint32_t id, int32_t offset);

/* Where the code calls the callee by its name, or runs it on if it is a generator: the last such place that is not
 * behind `before`, else the first one. -1: nowhere. */
int32_t sites_find(struct sites *sites, const struct codes *codes, uint64_t code, uint32_t id,
	const struct code_entry *callee, int32_t before);
