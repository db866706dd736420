#include "recording/tee.h"

#define FOR_EACH_SINK(head, call)                                 \
	do {                                                      \
		struct tee *t_ = (struct tee *)(head);            \
		for (size_t i_ = 0; i_ < t_->sinks.count; i_++) { \
			struct sink *each = t_->sinks.data[i_];   \
			TRY(call);                                \
		}                                                 \
		return NULL;                                      \
	} while (0)

static struct error *tee_begin(struct sink *sink, const struct recording_info *info)
{
	FOR_EACH_SINK(sink, each->ops->begin(each, info));
}

static struct error *tee_process(struct sink *sink, const struct process_def *def)
{
	FOR_EACH_SINK(sink, each->ops->process(each, def));
}

static struct error *tee_thread(struct sink *sink, const struct thread_def *def)
{
	FOR_EACH_SINK(sink, each->ops->thread(each, def));
}

static struct error *tee_code(struct sink *sink, const struct code_def *def)
{
	FOR_EACH_SINK(sink, each->ops->code(each, def));
}

static struct error *tee_stack(struct sink *sink, const struct stack_def *def)
{
	FOR_EACH_SINK(sink, each->ops->stack(each, def));
}

static struct error *tee_events(struct sink *sink, const struct event *events, size_t count)
{
	FOR_EACH_SINK(sink, each->ops->events(each, events, count));
}

static struct error *tee_end(struct sink *sink, const struct recording_end *end)
{
	FOR_EACH_SINK(sink, each->ops->end(each, end));
}

void tee_init(struct tee *tee)
{
	static const struct sink_ops ops = { tee_begin, tee_process, tee_thread, tee_code, tee_stack, tee_events,
		tee_end };
	*tee = (struct tee){ .sink = { &ops } };
}

bool tee_add(struct tee *tee, struct sink *sink)
{
	return vec_push(&tee->sinks, sink);
}

void tee_deinit(struct tee *tee)
{
	vec_free(&tee->sinks);
}
