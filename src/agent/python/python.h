/* python.h: the functions of the interpreter that we live in, looked up by name: the agent is linked against none, so
 * that one file serves all versions. Objects are opaque; what is read of them directly is at the end. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct object object;
typedef object *(*vectorcall)(object *callable, object *const *arguments, size_t flags, object *names);
typedef int (*audit_hook)(const char *event, object *arguments, void *data);

struct python {
	uint32_t version; /* PY_VERSION_HEX */
	bool free_threaded;
	uint32_t head; /* bytes of an object before its own fields */

	object *none, *function_type, *method_function_type, *method_descriptor_type;

	int (*add_audit_hook)(audit_hook, void *);
	object *(*sys_get)(const char *);
	object *(*get_attribute)(object *, const char *);
	object *(*call)(object *, ...); /* objects, then NULL */
	object *(*call_method)(object *, const char *, const char *, ...);
	object *(*repr)(object *);
	const char *(*text)(object *, ptrdiff_t *size);
	long (*as_long)(object *);
	object *(*get_traceback)(object *exception); /* NULL: it has none */
	int (*code_line)(object *code, int offset);  /* of an instruction, in bytes; below 1: none */
	object *(*make_long)(long);
	ptrdiff_t (*size)(object *);		     /* len(); -1: it has none */
	object *(*next)(object *iterator);	     /* NULL: the end */
	object *(*item)(object *tuple, ptrdiff_t);   /* borrowed */
	object *(*dict_get)(object *, const char *); /* borrowed */
	void (*keep)(object *);			     /* Py_IncRef */
	void (*forget)(object *);		     /* Py_DecRef */
	void (*clear_error)(void);
	void (*fetch_error)(object **, object **, object **);
	void (*restore_error)(object *, object *, object *);
	object *(*make_type)(void *spec);
	object *(*allocate)(object *type, ptrdiff_t count);
	object *(*vector_call)(object *, object *, object *);
	object *(*evaluate)(const char *, int start, object *globals, object *locals);
	object *(*new_dict)(void);
	object *(*globals)(void); /* of the frame that runs; borrowed; NULL: none does */
	int (*request_extra)(void (*free)(void *));
	int (*get_extra)(object *code, ptrdiff_t index, void **);
	int (*set_extra)(object *code, ptrdiff_t index, void *);
};
extern struct python python;

/* Whether a Python runtime is in this process. */
bool python_is_here(void);
/* Looks up everything; false when something is missing. */
bool python_find(void);

/* What the interpreter exports, and where its address goes. */
struct python_symbol {
	const char *name;
	void **place;
};
/* False when one is missing. */
bool python_look_up(const struct python_symbol *wanted, size_t count);

static inline object *python_type(const object *o)
{
	object *type;
	memcpy(&type, (const char *)o + python.head - sizeof type, sizeof type);
	return type;
}
/* A word behind the head of an object. */
static inline void *python_field(const object *o, size_t offset)
{
	void *value;
	memcpy(&value, (const char *)o + python.head + offset, sizeof value);
	return value;
}
