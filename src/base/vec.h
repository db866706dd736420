/* vec.h: growable arrays. VEC(struct frame) frames = { 0 }; vec_push(&frames, frame); frames.data[i];
 * vec_free(&frames); Growth doubles; a failed growth leaves the array as it was and makes the call return false. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define VEC(type)                \
	struct {                 \
		type *data;      \
		size_t count;    \
		size_t capacity; \
	}

static inline bool vec_grow_(void **data, size_t *capacity, size_t wanted, size_t item)
{
	size_t room = *capacity ? *capacity : 8;
	while (room < wanted)
		if (__builtin_mul_overflow(room, 2, &room))
			return false;
	size_t bytes;
	if (__builtin_mul_overflow(room, item, &bytes))
		return false;
	void *bigger = realloc(*data, bytes);
	if (!bigger)
		return false;
	*data = bigger;
	*capacity = room;
	return true;
}

/* Room for `wanted` items in all. */
#define vec_reserve(v, wanted) \
	((wanted) <= (v)->capacity || vec_grow_((void **)&(v)->data, &(v)->capacity, (wanted), sizeof *(v)->data))
#define vec_push(v, ...) (vec_reserve((v), (v)->count + 1) ? ((v)->data[(v)->count++] = (__VA_ARGS__), true) : false)
#define vec_free(v)                             \
	do {                                    \
		free((v)->data);                \
		(v)->data = NULL;               \
		(v)->count = (v)->capacity = 0; \
	} while (0)
