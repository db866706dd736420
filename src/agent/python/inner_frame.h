/* inner_frame.h: frames of 3.11, as a trace or profile function is told of them. */
#pragma once
#include "agent/python/old_python.h"

static inline const char *inner_frame_of(const frame *f)
{
	return old_python_word(f, old_python.at.pyframe_iframe);
}

static inline object *inner_frame_code(const char *inner)
{
	return old_python_word(inner, old_python.at.iframe_executable);
}

/* Of the instruction that it is at, in bytes. */
static inline int inner_frame_offset(const char *inner, const object *code)
{
	const char *now;
	memcpy(&now, inner + old_python.at.iframe_instruction, sizeof now);
	return (int)(now - ((const char *)code + old_python.at.code_code_adaptive));
}

/* Begun, for the first time, is a call no further than at its first RESUME. */
static inline bool inner_frame_is_resumed(const char *inner, const object *code)
{
	enum { INSTRUCTION = 2 };
	return inner_frame_offset(inner, code) > INSTRUCTION * old_python_int(code, old_python.at.code_first_traceable);
}

static inline bool inner_frame_has_yielded(const char *inner)
{
	enum { OWNED_BY_GENERATOR = 1, SUSPENDED = -1 };
	const char *generator = inner - old_python.at.generator_frame;
	return inner[old_python.at.iframe_owner] == OWNED_BY_GENERATOR &&
	       *(const signed char *)(generator + old_python.at.generator_state) == SUSPENDED;
}
