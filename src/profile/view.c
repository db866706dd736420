/* view.c: choosing rows, and what can be said of a share of them. */
#include "profile/view.h"

#include "profile/lines.h"
#include "profile/memory.h"
#include "profile/tallies.h"

/* Newton's way to a square root of 0 to 1; libm for one call would be a library more for every program that links us.
 */
static double square_root(double x)
{
	if (x <= 0)
		return 0;
	double root = 1;
	for (int i = 0; i < 64; i++) {
		double next = (root + x / root) / 2;
		if (next >= root && i)
			break;
		root = next;
	}
	return root;
}

uint64_t profile_row_weight(const struct profile_row *row, enum profile_weight weight)
{
	switch (weight) {
	case PROFILE_WALL:
		return row->wall;
	case PROFILE_CPU:
		return row->state & STATE_ON_CPU ? row->wall : 0;
	case PROFILE_BYTES:
		return row->bytes;
	case PROFILE_COUNT:
		return row->count;
	default:
		return row->samples;
	}
}

static bool is_wanted(const struct profile_view_options *options, const struct profile_row *row)
{
	if ((options->process && row->process != options->process) ||
		(options->thread && row->thread != options->thread))
		return false;
	if (!row->timed)
		return true;
	return (options->idle || !profile_state_is_idle(row->state)) &&
	       (!options->only_gil || row->state & STATE_HOLDS_GIL) &&
	       (!options->only_cpu || row->state & STATE_ON_CPU);
}

struct error *profile_view_init(
	struct profile *profile, const struct profile_view_options *options, struct profile_view *ret_view)
{
	if (profile->info.mode == RECORDING_CALLS)
		TRY(profile_make_call_rows(profile));
	if (profile->info.mode == RECORDING_LINES)
		TRY(lines_make_rows(profile));
	if (profile->info.mode == RECORDING_MEMORY)
		TRY(profile_memory_make_rows(profile));
	TRY(profile_decode(profile));
	_cleanup_profile_view_ struct profile_view view = { .profile = profile, .options = *options };
	for (size_t i = 0; i < profile->rows.count; i++) {
		const struct profile_row *row = &profile->rows.data[i];
		uint64_t weight = profile_row_weight(row, options->weight);
		if (!is_wanted(options, row) || !weight)
			continue;
		if (!vec_push(&view.rows, (uint32_t)i))
			return &error_no_memory;
		view.all.weight += weight;
		view.all.samples += row->samples;
	}
	*ret_view = view;
	view = (struct profile_view){ 0 };
	return NULL;
}

void profile_view_deinit(struct profile_view *view)
{
	vec_free(&view->rows);
}

struct profile_share profile_share_of(uint64_t weight, uint64_t whole, uint64_t samples)
{
	if (!whole)
		return (struct profile_share){ 0, 0, 1 };
	if (!samples) { /* nothing was sampled: it is exact */
		double exact = (double)weight / (double)whole;
		return (struct profile_share){ exact, exact, exact };
	}
	static const double z = 1.959963984540054; /* 95 % of a normal distribution lie within so many deviations */
	double p = weight < whole ? (double)weight / (double)whole : 1, n = (double)samples;
	double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
	double half = z / (1 + z * z / n) * square_root(p * (1 - p) / n + z * z / (4 * n * n));
	double low = middle - half, high = middle + half;
	return (struct profile_share){ p, low > 0 ? low : 0, high < 1 ? high : 1 };
}
