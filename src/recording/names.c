#include "recording/names.h"

#include "recording/sink.h"

#define NAME_OF(names, value) ((value) < sizeof(names) / sizeof(names)[0] && (names)[value] ? (names)[value] : "?")

const char *event_kind_name(unsigned kind)
{
	static const char *const names[EVENT_KIND_END] = {
		[EVENT_SAMPLE] = "sample",
		[EVENT_INTERVAL] = "interval",
		[EVENT_MARKER] = "marker",
		[EVENT_COUNTER] = "counter",
		[EVENT_ALLOC] = "alloc",
		[EVENT_FREE] = "free",
		[EVENT_CALL] = "call",
		[EVENT_TALLY] = "tally",
	};
	return NAME_OF(names, kind);
}

const char *event_quality_name(unsigned quality)
{
	static const char *const names[QUALITY_END] = {
		[QUALITY_EXACT] = "exact",
		[QUALITY_REPAIRED] = "repaired",
		[QUALITY_PARTIAL] = "partial",
	};
	return NAME_OF(names, quality);
}

const char *event_subject_name(unsigned subject)
{
	static const char *const names[SUBJECT_END] = {
		[SUBJECT_NONE] = "none",
		[SUBJECT_CPU_TIME] = "cpu-time",
		[SUBJECT_RUNQUEUE_TIME] = "runqueue-time",
		[SUBJECT_GIL_SWITCHES] = "gil-switches",
		[SUBJECT_GC_GENERATION0] = "gc-generation-0",
		[SUBJECT_GC_GENERATION1] = "gc-generation-1",
		[SUBJECT_GC_GENERATION2] = "gc-generation-2",
		[SUBJECT_PROCESS_END] = "process-end",
		[SUBJECT_THREAD_END] = "thread-end",
		[SUBJECT_GC] = "gc",
		[SUBJECT_UNSEEN_CHILDREN] = "unseen-children",
		[SUBJECT_CALLS] = "calls",
		[SUBJECT_RESUMED] = "resumed",
		[SUBJECT_SUSPENDED] = "suspended",
		[SUBJECT_UNWOUND] = "unwound",
		[SUBJECT_CALL_COST] = "call-cost",
		[SUBJECT_BUILTIN_COST] = "builtin-cost",
		[SUBJECT_RAISED] = "raised",
		[SUBJECT_HANDLED] = "handled",
		[SUBJECT_TIMELINE_END] = "timeline-end",
		[SUBJECT_LINE] = "line",
		[SUBJECT_LINE_INSIDE] = "line-inside",
		[SUBJECT_LINES] = "lines",
		[SUBJECT_LINE_COST] = "line-cost",
		[SUBJECT_SEALED] = "sealed",
		[SUBJECT_MEMORY_PEAK] = "memory-peak",
		[SUBJECT_MEMORY_TEMPORARY] = "memory-temporary",
		[SUBJECT_MEMORY_SIZES] = "memory-sizes",
		[SUBJECT_MAIN_BEGINS] = "main-begins",
		[SUBJECT_MAIN_ENDS] = "main-ends",
		[SUBJECT_RSS] = "RSS",
		[SUBJECT_PSS] = "PSS",
		[SUBJECT_USS] = "USS",
		[SUBJECT_MEMORY_KEPT] = "memory-kept",
		[SUBJECT_MEMORY_LINE] = "memory-line",
		[SUBJECT_MEMORY_LINE_USAGE] = "memory-line-usage",
		[SUBJECT_MEMORY_LINES] = "memory-lines",
		[SUBJECT_MEMORY_PHASE] = "memory-phase",
	};
	return NAME_OF(names, subject);
}

const char *event_weight_name(unsigned weight)
{
	static const char *const names[WEIGHT_END] = {
		[WEIGHT_WALL] = "wall",
		[WEIGHT_CPU] = "cpu",
		[WEIGHT_BYTES] = "bytes",
		[WEIGHT_COUNT] = "count",
	};
	return NAME_OF(names, weight);
}

const char *recording_mode_name(unsigned mode)
{
	static const char *const names[] = {
		[RECORDING_SAMPLES] = "samples",
		[RECORDING_CALLS] = "calls",
		[RECORDING_LINES] = "lines",
		[RECORDING_MEMORY] = "memory",
	};
	return NAME_OF(names, mode);
}

void event_state_add_names(struct buffer *buffer, unsigned state)
{
	static const char *const names[16] = { "on-cpu", "runnable", "holds-gil", "waits-gil", "uninterruptible",
		"stopped", "in-syscall", "gc", "in-c", "main-thread" };
	if (!state)
		buffer_add_string(buffer, "idle");
	for (unsigned bit = 0; bit < 16; bit++) {
		if (!(state >> bit & 1))
			continue;
		buffer_add_string(buffer, names[bit] ? names[bit] : "?");
		if (state >> bit >> 1)
			buffer_add_char(buffer, ',');
	}
}
