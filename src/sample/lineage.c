/* lineage.c: see lineage.h. By the kernel's events, or by its lists of children: at the beginning, since children may
 * be older than we, when events were lost, and again and again where there are no events. */
#include "sample/lineage.h"

#include "base/clock.h"
#include "os/children.h"
#include "os/process_events.h"

enum {
	LIST_EVERY = NS_PER_MS,
	LIST_SHARE = 20,      /* of our time at most one part in so many goes into reading lists */
	EVENTS_AT_ONCE = 256, /* some 200 us; what is left waits in the kernel */
};
static const uint64_t never = UINT64_MAX;

static struct member *find_member(const struct family *family, pid_t pid)
{
	const uint64_t *member = map_get(&family->by_pid, (uint64_t)pid);
	return member ? (struct member *)(uintptr_t)*member : NULL;
}

/* ---- lists ---- */

static struct error *add_children_of(struct family *family, const struct member *parent, struct pid_list *list)
{
	/* What the first list holds may be older than we. */
	bool from_birth = parent->from_birth || family->children_at;
	list->pids.count = 0;
	children_list(parent->pid, list);
	for (size_t i = 0; i < list->pids.count; i++)
		if (!find_member(family, list->pids.data[i]))
			TRY(family_add(family, list->pids.data[i], parent, from_birth));
	return NULL;
}

static struct error *read_lists(struct family *family, uint64_t now)
{
	struct pid_list list = { 0 };
	struct error *error = NULL;
	uint64_t begun = clock_now();
	/* Those that are found become members, and are asked for theirs. */
	for (size_t i = 0; i < family->members.count && !error; i++)
		if (!family->members.data[i]->gone)
			error = add_children_of(family, family->members.data[i], &list);
	vec_free(&list.pids);
	uint64_t pause = (clock_now() - begun) * LIST_SHARE;
	family->children_at = family->events_fd >= 0 ? never : now + (pause > LIST_EVERY ? pause : LIST_EVERY);
	return error;
}

/* ---- events ---- */

static struct error *take_fork(struct family *family, const struct process_event *event)
{
	const struct member *parent = find_member(family, event->parent);
	struct member *child = find_member(family, event->pid);
	if (!parent || (child && !child->ended_at)) /* a list may have been quicker */
		return NULL;
	return family_add(family, event->pid, parent, true);
}

static void take_execution(struct member *member, const struct process_event *event)
{
	member->look_at = 0;
	/* The target has been opened in what was executed already. */
	if (member->target && member->opened_at > event->time)
		return;
	member->begun_at = event->time;
	member->looks = 0;
	member->files = 0;
	member->copy = member->no_python = member->seen = false;
}

static struct error *take_event(struct family *family, const struct process_event *event)
{
	if (event->kind == PROCESS_FORKED)
		return take_fork(family, event);
	struct member *member = find_member(family, event->pid);
	if (!member)
		return NULL;
	if (event->kind == PROCESS_EXECUTED)
		take_execution(member, event);
	family->memory_at = 0;
	/* The thread that began the process ends, too, when another one executes a program: so it is asked again. */
	member->ended_at = event->kind == PROCESS_ENDED ? event->time : 0;
	member->look_at = 0;
	return NULL;
}

static struct error *take_events(struct family *family, uint64_t until)
{
	for (int i = 0; i < EVENTS_AT_ONCE || clock_now() < until; i++) {
		struct process_event event;
		enum process_events_answer answer = process_events_next(family->events_fd, &event);
		if (answer == PROCESS_EVENTS_NONE)
			return NULL;
		if (answer == PROCESS_EVENTS_ONE) {
			TRY(take_event(family, &event));
			continue;
		}
		family->children.may_be_more = true;
		family->children_at = 0;
	}
	return NULL;
}

struct error *lineage_find(struct family *family, uint64_t now, uint64_t until)
{
	if (!family->follow)
		return NULL;
	if (family->events_fd >= 0)
		TRY(take_events(family, until));
	return now >= family->children_at ? read_lists(family, now) : NULL;
}
