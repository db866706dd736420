/* print.h: bytes of a target as something that can be printed. Names and paths come from another process: they may hold
 * control characters, what is not UTF-8, and anything that a format takes for its own syntax. */
#pragma once
#include "base/buffer.h"
#include "recording/sink.h"

/* One character: its code point, its bytes in the text, its columns on a terminal. */
struct print_char {
	uint32_t code; /* UINT32_MAX: a byte that is no UTF-8, in `byte` */
	uint8_t size, columns;
	unsigned char byte;
};
/* The character at the start of [at, end), which is not empty. Surrogates and overlong forms are no UTF-8. */
struct print_char print_read_char(const char *at, const char *end);

/* As it is, but control characters and what is not UTF-8 as \n, \x1b, \u202e. */
void print_add_text(struct buffer *out, struct text text);
enum print_cut {
	PRINT_CUT_END = 0, /* beginning... */
	PRINT_CUT_START,   /* ...end */
	PRINT_CUT_FOLDERS, /* .../folder/end: the start, up to a slash if there is one in what fits */
};
/* The same, in at most so many columns; what is too long is cut as told, an ellipsis standing for the rest.
 * Returns the columns taken. */
unsigned print_add_fitted(struct buffer *out, struct text text, unsigned columns, enum print_cut cut, bool ascii);
/* Columns that print_add_text takes. */
unsigned print_count_columns(struct text text);

/* A JSON string with its quotes. What is not UTF-8 becomes U+FFFD. Safe in a <script> and in CDATA, too. */
void print_add_json(struct buffer *out, struct text text);
/* The same for files that stand alone: "<", ">" and "&" as they are, since Perfetto does not read them escaped. */
void print_add_json_alone(struct buffer *out, struct text text);
/* As it is, but what is not UTF-8 becomes U+FFFD. */
void print_add_utf8(struct buffer *out, struct text text);
/* Text of an XML element or attribute; what XML cannot hold becomes U+FFFD. */
void print_add_xml(struct buffer *out, struct text text);

/* 1234567. What a large output has many of: faster than printf. */
void print_add_integer(struct buffer *out, uint64_t number);
/* 1,234,567. */
void print_add_number(struct buffer *out, uint64_t number);
/* 12.3 s, 123 ms, 12 us, 3 min 20 s, by size. */
void print_add_duration(struct buffer *out, uint64_t ns, bool ascii);
/* 1.5 MiB. */
void print_add_bytes(struct buffer *out, uint64_t bytes);

static inline struct text print_text(const struct buffer *buffer)
{
	return (struct text){ buffer->data ? buffer->data : "", buffer->size };
}
