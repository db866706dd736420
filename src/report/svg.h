/* svg.h: the flame graph while it is drawn; svg.c draws the frames, svg_head.c what stands above them. */
#pragma once
#include "profile/times.h"
#include "report/label.h"
#include "report/print.h"

enum { SVG_WIDTH = 1200, SVG_PAD = 10, SVG_ROW = 17, SVG_TOP = 104, SVG_BOTTOM = 14, SVG_MOST_ROWS = 2000 };
/* What is narrower than this share of the width is not drawn. */
#define SVG_LEAST_SHARE 0.0005

struct svg {
	struct profile_view view;
	struct profile_tree tree;
	struct profile_time_table times;
	struct labels labels;
	struct buffer *out, scratch, label;
	VEC(uint32_t)
	kept; /* nodes that are drawn, in the order of calls: callees follow their caller, the heaviest first */
	uint32_t *place; /* by node: its place among them; PROFILE_NONE: not drawn */
	double *start;	 /* by place: where it begins, in weight */
	uint32_t rows;	 /* of frames below the root's */
	uint64_t left_out, left_out_weight;
};

/* Title, recording, what the width means, legend. */
void svg_add_head(struct svg *svg);
