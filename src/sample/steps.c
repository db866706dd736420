#include "sample/steps.h"

/* Called by operators, `with`, iteration, the creation of an object: by instructions that do not name it. */
static bool is_special_name(struct stack_context *c, uint64_t name)
{
	const struct layout *l = c->layout;
	char start[2];
	uint32_t data = l->unicode.state == LAYOUT_NONE ? l->bytes.data : l->unicode.ascii_data;
	return !memory_read(c->codes->memory, name + data, start, sizeof start) || memcmp(start, "__", 2) == 0;
}

/* Names are interned: equal ones are the same object. */
static struct error *compare_names(struct stack_context *c, struct call_site site, const struct seen_frame *caller,
	const struct seen_frame *frame, enum step *ret_step)
{
	const struct code_entry *entry;
	*ret_step = STEP_POSSIBLE;
	if (frame->from_c || !caller->code || !frame->code)
		return NULL;
	uint64_t name = call_site_name(c->codes->memory, c->codes->runtime, caller->code, site.name);
	TRY(codes_get(c->codes, frame->code, &entry));
	if (!entry || entry->id != frame->code_id)
		return NULL;
	if (name && entry->head.name == name) {
		*ret_step = STEP_NAMED;
		return NULL;
	}
	if ((!name && site.calls) || code_head_is_generator(&entry->head) || is_special_name(c, entry->head.name))
		return NULL;
	bool elsewhere = sites_find(c->sites, c->codes, caller->code, caller->code_id, entry, caller->offset) >= 0;
	*ret_step = elsewhere ? STEP_ELSEWHERE : site.calls ? STEP_OTHER_NAME : STEP_NO_CALL;
	return NULL;
}

struct error *steps_look(
	struct stack_context *c, const struct seen_frame *caller, const struct seen_frame *frame, enum step *ret_step)
{
	enum step step = evidence_step(c->evidence, caller->code_id, caller->offset, frame->code_id);
	*ret_step = step;
	if (step != STEP_UNKNOWN)
		return NULL;
	struct call_site site = sites_look_again(c->sites, c->codes, caller->code, caller->code_id, caller->offset);
	if (!frame->from_c && !site.pushes) {
		*ret_step = STEP_IMPOSSIBLE; /* so far */
		return NULL;
	}
	TRY(compare_names(c, site, caller, frame, ret_step));
	return evidence_set_step(c->evidence, caller->code_id, caller->offset, frame->code_id, *ret_step)
		       ? NULL
		       : &error_no_memory;
}

struct error *steps_find_site(
	struct stack_context *c, const struct seen_frame *caller, const struct seen_frame *frame, int32_t *ret_site)
{
	const struct code_entry *entry;
	*ret_site = -1;
	if (!caller->code || !frame->code)
		return NULL;
	TRY(codes_get(c->codes, frame->code, &entry));
	if (!entry || entry->id != frame->code_id)
		return NULL;
	*ret_site = sites_find(c->sites, c->codes, caller->code, caller->code_id, entry, caller->offset);
	if (*ret_site < 0)
		return NULL;
	enum step step = code_head_is_generator(&entry->head) ? STEP_POSSIBLE : STEP_NAMED;
	return evidence_set_step(c->evidence, caller->code_id, *ret_site, frame->code_id, step) ? NULL
												: &error_no_memory;
}
