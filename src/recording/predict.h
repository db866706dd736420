/* predict.h: what the next event of a block is expected to be: the one set of rules that the encoder and the decoder of
 * events both follow, so that only what differs is stored. It begins anew with each block.
 */
#pragma once
#include <string.h>

#include "base/vec.h"
#include "recording/event.h"
#include "recording/ticks.h"

/* What was seen last of a thread. `epoch` tells whether that was in this block: nothing is cleared between blocks. */
struct thread_track {
	uint32_t epoch;
	uint32_t successor; /* the thread whose event came after this one's */
	uint32_t pose;
	uint32_t process; /* 0: not seen yet */
};

/* The samples of a process: a sample stands for the time since the process's samples of another moment. */
struct process_track {
	uint32_t epoch;
	uint32_t moment;
	uint64_t time, gap;		/* as a reader knows them */
	uint64_t exact_time, exact_gap; /* as they were; only in the encoder */
};

struct predictor {
	VEC(struct thread_track) threads;
	VEC(struct process_track) processes;
	uint32_t epoch;
	uint32_t thread_max; /* the greatest thread id of the block's events */
	uint32_t last_thread, last_process;
	uint32_t waits_for;
	uint64_t period_ns;
	uint64_t last_weight[EVENT_KIND_END][WEIGHT_END];
};

static inline void predictor_deinit(struct predictor *p)
{
	vec_free(&p->threads);
	vec_free(&p->processes);
}

/* Begins a block whose thread and process ids are not above these; false: no memory. */
static inline bool predictor_begin(struct predictor *p, uint32_t thread_max, uint32_t processes, uint64_t period_ns)
{
	size_t threads = thread_max;
	if (!vec_reserve(&p->threads, threads + 1) || !vec_reserve(&p->processes, (size_t)processes + 1))
		return false;
	size_t had = p->threads.count, had_processes = p->processes.count;
	if (had <= threads) {
		memset(p->threads.data + had, 0, (threads + 1 - had) * sizeof *p->threads.data);
		p->threads.count = threads + 1;
	}
	if (had_processes <= processes) {
		memset(p->processes.data + had_processes, 0,
			((size_t)processes + 1 - had_processes) * sizeof *p->processes.data);
		p->processes.count = (size_t)processes + 1;
	}
	p->epoch++;
	p->thread_max = thread_max;
	p->last_thread = 0;
	p->last_process = 1;
	p->waits_for = 0;
	p->period_ns = period_ns;
	memset(p->last_weight, 0, sizeof p->last_weight);
	p->last_weight[EVENT_SAMPLE][WEIGHT_WALL] = period_ns;
	return true;
}

static inline struct thread_track *predictor_track(struct predictor *p, uint32_t thread)
{
	struct thread_track *track = &p->threads.data[thread];
	if (track->epoch != p->epoch)
		*track = (struct thread_track){ .epoch = p->epoch,
			.successor = thread < p->thread_max ? thread + 1 : 1 };
	return track;
}

static inline uint32_t predict_thread(struct predictor *p)
{
	return predictor_track(p, p->last_thread)->successor;
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
	struct predictor *p, uint32_t process, uint32_t moment, uint64_t time, uint64_t exact_time)
{
	struct process_track *track = &p->processes.data[process];
	bool known = track->epoch == p->epoch;
	if (known && track->moment == moment)
		return track;
	track->gap = known ? time - track->time : p->period_ns;
	track->exact_gap = known ? exact_time - track->exact_time : p->period_ns;
	track->epoch = p->epoch;
	track->moment = moment;
	track->time = time;
	track->exact_time = exact_time;
	return track;
}

/* Takes in what the event was. */
static inline void predictor_learn(
	struct predictor *p, struct thread_track *track, const struct event *event, uint32_t pose)
{
	p->threads.data[p->last_thread].successor = event->thread;
	track->pose = pose;
	track->process = event->process;
	p->last_thread = event->thread;
	p->last_process = event->process;
	if (event->state & STATE_WAITS_GIL)
		p->waits_for = event->waits_for;
}

/* Tick times in units. */
static inline uint64_t predict_tick(uint64_t seed, uint64_t period_ns, uint64_t index, uint64_t unit)
{
	return tick_time(seed, period_ns, index) / unit;
}
