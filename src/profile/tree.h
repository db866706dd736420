/* tree.h: a view as a tree of calls, in typed arrays. Node 0 is the root, which is everything; a child has a larger
 * number than its parent. Children are linked by falling weight. */
#pragma once
#include "profile/view.h"

/* What a node stands for: a frame of the profile, or one of the roots that tell processes and threads apart. */
enum profile_node_kind { NODE_FRAME = 0, NODE_PROCESS, NODE_THREAD };

struct profile_tree_options {
	bool by_line;	 /* tell lines of a function apart */
	bool by_process; /* a root frame for each process */
	bool by_thread;	 /* and below it one for each thread */
};

struct profile_node {
	uint32_t parent;
	uint32_t what;			    /* number of a frame, process id or thread id, by kind */
	uint8_t kind;			    /* enum profile_node_kind */
	uint32_t folded;		    /* how many more frames deep this node stands for (profile_tree_fold) */
	uint32_t depth;			    /* the root's is 0 */
	uint32_t first_child, next_sibling; /* 0: none */
	struct profile_measure self, total;
};

struct profile_tree {
	VEC(struct profile_node) nodes;
	uint32_t *row_nodes; /* the node of each row of the view, in its order; NULL in a folded tree */
};

struct error *profile_tree_init(
	const struct profile_view *view, const struct profile_tree_options *options, struct profile_tree *ret_tree);
/* A smaller tree for reading: frames of one library that call each other become one node, that by which the library was
 * entered, and a function that calls itself is one node. Totals of what is left are as before; self times add up. */
struct error *profile_tree_fold(
	const struct profile *profile, const struct profile_tree *tree, struct profile_tree *ret_tree);
void profile_tree_deinit(struct profile_tree *tree);
#define _cleanup_profile_tree_ __attribute__((cleanup(profile_tree_deinit)))
