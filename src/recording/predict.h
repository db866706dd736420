/* predict.h: what the next event of a block is expected to be: the one set of rules that the encoder and the decoder of
 * events both follow, so that only what differs is stored. It goes on from block to block.
 */
#pragma once
#include "base/vec.h"
#include "recording/event.h"
#include "recording/ticks.h"

/* What a thread did at the same place in an earlier moment: its first event of a moment, usually a sample, is expected
 * to be like the last first one; its second, a counter perhaps, like the last second one. */
struct thread_slot {
	uint32_t successor; /* the thread whose event came next */
	uint32_t pose;	    /* its place in the dictionary, of whichever block */
	uint64_t count;	    /* WEIGHT_COUNT: counters move little */
};

enum { THREAD_SLOTS = 4 /* the last stands for all later places */ };

/* What was seen of a thread. */
struct thread_track {
	uint32_t process; /* of its last event; 0: not seen yet */
	uint32_t moment;  /* of its last event */
	uint32_t events;  /* in that moment */
	struct thread_slot slots[THREAD_SLOTS];
};

/* The samples of a process: a sample stands for the time since the process's samples of another moment. */
struct process_track {
	uint32_t moment;		/* of the last sample; 0: there was none */
	uint64_t time, gap;		/* as a reader knows them */
	uint64_t exact_time, exact_gap; /* as they were; only in the encoder */
};

struct predictor {
	VEC(struct thread_track) threads;
	VEC(struct process_track) processes;
	bool begun;
	uint32_t moment;				/* number of the present one, from 1 */
	uint32_t last_thread, last_place, last_process; /* of the event before */
	uint32_t waits_for;
	uint64_t period_ns;
	uint64_t last_weight[EVENT_KIND_END][WEIGHT_END];
};

static inline void predictor_deinit(struct predictor *p)
{
	vec_free(&p->threads);
	vec_free(&p->processes);
}

/* Tracks for ids up to these; a new thread is expected to be followed by the next one, the last one by the first. */
static inline bool predictor_reserve(struct predictor *p, uint32_t thread_max, uint32_t process_max)
{
	if (!vec_reserve(&p->threads, (size_t)thread_max + 1) || !vec_reserve(&p->processes, (size_t)process_max + 1))
		return false;
	while (p->threads.count <= thread_max) {
		uint32_t thread = (uint32_t)p->threads.count++;
		struct thread_track track = { 0 };
		for (unsigned i = 0; i < THREAD_SLOTS; i++)
			track.slots[i].successor = thread < thread_max ? thread + 1 : 1;
		p->threads.data[thread] = track;
	}
	while (p->processes.count <= process_max)
		p->processes.data[p->processes.count++] = (struct process_track){ 0 };
	return true;
}

/* Begins a block whose thread and process ids are not above these; false: no memory. */
static inline bool predictor_begin(struct predictor *p, uint32_t thread_max, uint32_t process_max, uint64_t period_ns)
{
	if (!predictor_reserve(p, thread_max, process_max))
		return false;
	if (!p->begun) {
		p->begun = true;
		p->last_process = 1;
		p->period_ns = period_ns;
		p->last_weight[EVENT_SAMPLE][WEIGHT_WALL] = period_ns;
	}
	return true;
}

static inline uint32_t predict_thread(const struct predictor *p)
{
	return p->threads.data[p->last_thread].slots[p->last_place].successor;
}

/* The place of a thread's next event of this moment. */
static inline uint32_t predict_place(const struct predictor *p, const struct thread_track *track)
{
	uint32_t events = track->moment == p->moment ? track->events : 0;
	return events < THREAD_SLOTS ? events : THREAD_SLOTS - 1;
}

static inline uint32_t predict_process(const struct predictor *p, const struct thread_track *track)
{
	return track->process ? track->process : p->last_process;
}

static inline uint32_t predict_waits_for(const struct predictor *p, uint16_t state)
{
	return state & STATE_WAITS_GIL ? p->waits_for : 0;
}

/* The process's track with `gap` as it is for a sample of this moment; `time` and `exact_time` are the moment's. */
static inline const struct process_track *predict_gap(
	struct predictor *p, uint32_t process, uint64_t time, uint64_t exact_time)
{
	struct process_track *track = &p->processes.data[process];
	if (track->moment == p->moment)
		return track;
	track->gap = track->moment ? time - track->time : p->period_ns;
	track->exact_gap = track->moment ? exact_time - track->exact_time : p->period_ns;
	track->moment = p->moment;
	track->time = time;
	track->exact_time = exact_time;
	return track;
}

/* Takes in what the event was; `place` is that of predict_place. */
static inline void predictor_learn(
	struct predictor *p, struct thread_track *track, uint32_t place, const struct event *event, uint32_t pose)
{
	p->threads.data[p->last_thread].slots[p->last_place].successor = event->thread;
	track->slots[place].pose = pose;
	track->slots[place].count = event->weight[WEIGHT_COUNT];
	track->process = event->process;
	track->events = track->moment == p->moment ? track->events + 1 : 1;
	track->moment = p->moment;
	p->last_thread = event->thread;
	p->last_place = place;
	p->last_process = event->process;
	if (event->state & STATE_WAITS_GIL)
		p->waits_for = event->waits_for;
}

/* Tick times in units. */
static inline uint64_t predict_tick(uint64_t seed, uint64_t period_ns, uint64_t index, uint64_t unit)
{
	return tick_time(seed, period_ns, index) / unit;
}
