/* rss.c: see rss.h. */
#include "sample/rss.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/footprint.h"
#include "os/process.h"

enum {
	UNTOLD_MAX = 64,	       /* readings; then a process is one of the recording, Python or not */
	UNTOLD_TIME = 100 * NS_PER_MS, /* the same in time */
	MOVED = 512 << 10, /* bytes that are worth a reading of their own; the kernel's own counting is late by some 100
			      KiB */
	FEW = 8,	   /* processes, of which that is looked at */
	SHARES_PART = 1000, /* of the time, what reading shares may take */
};
/* Until it was measured: 70 ms for a GiB. */
static const double usual_ns_per_byte = 70e6 / (1 << 30);

void rss_init(struct rss *rss, struct family *family, uint64_t every)
{
	*rss = (struct rss){ .family = family, .every = every, .shares_ns_per_byte = usual_ns_per_byte };
}

static void forget(struct rss_watched *watched)
{
	process_deinit(&watched->process);
	vec_free(&watched->untold);
}

void rss_deinit(struct rss *rss)
{
	for (size_t i = 0; i < rss->watched.count; i++)
		forget(&rss->watched.data[i]);
	vec_free(&rss->watched);
}

/* ---- telling ---- */

static struct error *emit(struct rss *rss, uint32_t process, enum subject subject, uint64_t time, uint64_t bytes)
{
	struct sink *sink = rss->family->registry->sink;
	struct event event = { .kind = EVENT_COUNTER,
		.subject = (uint8_t)subject,
		.time = time,
		.process = process,
		.weight[WEIGHT_COUNT] = bytes };
	return sink->ops->events(sink, &event, 1);
}

/* One in which no interpreter was found. */
static struct error *define_plain(struct rss *rss, struct rss_watched *watched)
{
	const struct process *process = &watched->process;
	struct registry *registry = rss->family->registry;
	struct process_def def = {
		.id = registry->process_count + 1,
		.pid = (uint32_t)watched->pid,
		.parent = watched->parent,
		.time = watched->untold.data[0].time,
		.command = { process->command.data, process->command.size },
	};
	if (process->executable)
		def.executable = (struct text){ process->executable, strlen(process->executable) };
	while (def.command.size && !def.command.data[def.command.size - 1])
		def.command.size--;
	TRY(registry->sink->ops->process(registry->sink, &def));
	registry->process_count++;
	watched->id = def.id;
	return NULL;
}

static struct error *tell(struct rss *rss, struct rss_watched *watched)
{
	size_t count = watched->untold.count;
	if (count && !watched->id)
		TRY(define_plain(rss, watched));
	watched->untold.count = 0;
	process_deinit(&watched->process);
	watched->process = (struct process){ 0 };
	for (size_t i = 0; i < count; i++)
		TRY(emit(rss, watched->id, SUBJECT_RSS, watched->untold.data[i].time, watched->untold.data[i].bytes));
	return NULL;
}

/* ---- reading ---- */

static struct rss_watched *find(struct rss *rss, const struct member *member)
{
	for (size_t i = 0; i < rss->watched.count; i++)
		if (rss->watched.data[i].pid == member->pid)
			return &rss->watched.data[i];
	if (!vec_push(&rss->watched, (struct rss_watched){ .pid = member->pid, .parent = member->parent }))
		return NULL;
	return &rss->watched.data[rss->watched.count - 1];
}

/* It may execute another program, and when it has ended nothing tells what it was. */
static void look_at(struct rss_watched *watched)
{
	struct process process = { 0 };
	struct error *error = process_read(watched->pid, &process);
	if (error || !process.command.size) {
		process_deinit(&process);
		error_free(error);
		return;
	}
	process_deinit(&watched->process);
	watched->process = process;
}

static bool has_moved(const struct rss_watched *watched, uint64_t bytes)
{
	uint64_t moved = bytes > watched->bytes ? bytes - watched->bytes : watched->bytes - bytes;
	return moved >= MOVED;
}

/* `due`: it is time for a reading, whatever it says. */
static struct error *read_member(struct rss *rss, const struct member *member, bool due, uint64_t now)
{
	uint64_t bytes;
	/* A child of vfork() has its parent's memory, which is not there twice. */
	bool borrowed = !member->id && member->parent_pid && process_shares_memory(member->pid, member->parent_pid);
	if (member->gone || borrowed || !footprint_read_resident(member->pid, &bytes))
		return NULL;
	struct rss_watched *watched = find(rss, member);
	if (watched && !due && !has_moved(watched, bytes))
		return NULL;
	if (!watched || !vec_push(&watched->untold, (struct rss_reading){ now, bytes }))
		return &error_no_memory;
	watched->alive = true;
	watched->bytes = bytes;
	if (member->id)
		watched->id = member->id;
	else if (!watched->id)
		look_at(watched);
	if (watched->id || watched->untold.count >= UNTOLD_MAX || now - watched->untold.data[0].time >= UNTOLD_TIME)
		return tell(rss, watched);
	return NULL;
}

/* Those that have ended, or are ending, are told of and forgotten. */
static struct error *forget_ended(struct rss *rss)
{
	size_t kept = 0, count = rss->watched.count;
	struct error *error = NULL;
	for (size_t i = 0; i < count; i++) {
		struct rss_watched *watched = &rss->watched.data[i];
		if (watched->alive || error) {
			watched->alive = false;
			rss->watched.data[kept++] = *watched;
			continue;
		}
		error = tell(rss, watched);
		forget(watched);
	}
	rss->watched.count = kept;
	return error;
}

static struct rss_watched *whose_shares_are_due(struct rss *rss)
{
	struct rss_watched *oldest = NULL;
	for (size_t i = 0; i < rss->watched.count; i++) {
		struct rss_watched *watched = &rss->watched.data[i];
		if (watched->id && watched->bytes && (!oldest || watched->shares_at < oldest->shares_at))
			oldest = watched;
	}
	return oldest;
}

/* One process at a time, the one of which it was not known for longest; not before the time since the last reading is
 * a thousand times what this one will take. */
static struct error *read_shares(struct rss *rss, uint64_t now)
{
	struct rss_watched *watched = whose_shares_are_due(rss);
	struct footprint_shares shares;
	if (!watched ||
		(double)(now - rss->shares_at) < rss->shares_ns_per_byte * (double)watched->bytes * (double)SHARES_PART)
		return NULL;
	uint64_t begun = clock_now();
	bool known = footprint_read_shares(watched->pid, &shares);
	rss->shares_at = watched->shares_at = now;
	if (!known)
		return NULL;
	rss->shares_ns_per_byte = (double)(clock_now() - begun) / (double)watched->bytes;
	TRY(emit(rss, watched->id, SUBJECT_PSS, now, shares.proportional));
	return emit(rss, watched->id, SUBJECT_USS, now, shares.unique);
}

struct error *rss_tick(struct rss *rss, uint64_t now)
{
	/* Ticks are at random moments of their periods: the first one of each interval reads. */
	uint64_t slot = rss->every ? now / rss->every + 1 : 0;
	bool due = slot != rss->slot;
	if (!rss->every || (!due && rss->family->members.count > FEW))
		return NULL;
	rss->slot = slot;
	for (size_t i = 0; i < rss->family->members.count; i++)
		TRY(read_member(rss, rss->family->members.data[i], due, now));
	if (!due)
		return NULL;
	TRY(forget_ended(rss));
	return read_shares(rss, now);
}

struct error *rss_finish(struct rss *rss)
{
	for (size_t i = 0; i < rss->watched.count; i++)
		TRY(tell(rss, &rss->watched.data[i]));
	return NULL;
}
