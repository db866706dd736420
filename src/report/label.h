/* label.h: what the nodes of a tree are called: `name (file:line)`, the file shortened by the longest entry of the
 * target's sys.path that it lies in. */
#pragma once
#include "base/buffer.h"
#include "profile/tree.h"
#include "report/report.h"

struct label {
	struct text name, file; /* file empty: none */
	uint32_t line;		/* 0: none */
};

struct labels {
	const struct profile *profile;
	const struct report_options *options;
	VEC(struct text) files; /* by function: the file as it is shown */
	struct buffer scratch;	/* of the last process or thread named */
};

/* For all functions that the profile has decoded: make the view first. */
struct error *labels_init(
	const struct profile *profile, const struct report_options *options, struct labels *ret_labels);
void labels_deinit(struct labels *labels);
#define _cleanup_labels_ __attribute__((cleanup(labels_deinit)))

/* Valid until the next call. A whole function has the line where it begins, unless functions were asked for. */
struct label label_of_frame(struct labels *labels, uint32_t frame);
struct label label_of_function(struct labels *labels, uint32_t function);
struct label label_of_node(struct labels *labels, const struct profile_node *node);

/* `name (file:line)`, printable. */
void label_add(struct buffer *out, const struct label *label);
/* The same in at most so many columns: first the path gives way, from its start, then the name, from its end. */
void label_add_fitted(struct buffer *out, const struct label *label, unsigned columns, bool ascii);
/* The words of a command line, quoted as a shell would need them. */
void label_add_command(struct buffer *out, struct text command);
/* `MainThread`, or `thread 4711` where it has no name. */
void label_add_thread(struct buffer *out, const struct profile *profile, uint32_t thread);

/* The roots and lines of the tree that a format shows. */
struct profile_tree_options label_tree_options(
	const struct profile_view *view, const struct report_options *options, bool by_line);
