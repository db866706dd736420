#include "recording/writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "recording/block.h"
#include "recording/compress.h"
#include "recording/definitions.h"
#include "recording/events.h"
#include "recording/output.h"

/* What is collected before it is written: the definitions, ready as records, and events as they came. Definitions are
 * written first, so they may stand in the batch of the first event that needs them. */
struct batch {
	struct batch *next;
	struct buffer definitions;
	VEC(struct event) events;
	bool dated; /* `begun` is known */
	uint64_t begun;
};

enum { SPARE_MAX = 2 /* empty batches kept with their memory */ };

struct recording_writer {
	struct sink sink; /* first: the sink is the writer */
	/* The caller's. */
	struct ids ids;
	struct batch *current;
	bool reported;
	/* The writing thread's. */
	struct output output;
	struct events_encoder *encoder;
	struct compressor *compressor;
	struct packed packed;
	uint32_t sequence;
	/* Between them, under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work, room;
	struct batch *first, **last;
	struct batch *spare;
	unsigned spares;
	size_t pending;
	bool stop;
	struct error *error;
	atomic_bool failed; /* `error` is set: readable without the lock */
	pthread_t thread;
	bool has_thread;
};

static_assert((int)WRITER_BATCH_EVENTS <= (int)EVENTS_MAX, "a batch's events become one block");
static_assert((int)WRITER_BATCH_DEFINITIONS + LINE_TABLE_MAX + 2 * TEXT_LIST_MAX + 4 * TEXT_MAX < (int)BLOCK_RAW_MAX,
	"a batch's definitions and one more record become one block");

/* ---- the writing thread ---- */

static struct error *write_block(struct recording_writer *writer, enum block_type type)
{
	const struct packed *packed = &writer->packed;
	const void *stored = packed->bytes.data;
	size_t size = packed->bytes.size;
	enum content_kind kind = type == BLOCK_EVENTS ? CONTENT_NUMBERS : CONTENT_TEXT;
	bool compressed = compressor_run(writer->compressor, kind, packed, &stored, &size);
	struct block_header header = block_header_make(type, compressed ? BLOCK_COMPRESSED : 0, stored, (uint32_t)size,
		(uint32_t)packed->bytes.size, writer->sequence);
	TRY(output_append(&writer->output, &header, sizeof header, stored, size));
	writer->sequence++;
	return NULL;
}

static struct error *write_batch(struct recording_writer *writer, const struct batch *batch)
{
	/* A definition that there was no memory for: what comes after it would be numbered wrongly. */
	if (batch->definitions.failed)
		return &error_no_memory;
	if (batch->definitions.size) {
		packed_clear(&writer->packed);
		buffer_add(&writer->packed.bytes, batch->definitions.data, batch->definitions.size);
		if (writer->packed.bytes.failed)
			return &error_no_memory;
		TRY(write_block(writer, BLOCK_DEFINITIONS));
	}
	if (!batch->events.count)
		return NULL;
	TRY(events_encode(writer->encoder, batch->events.data, batch->events.count, writer->ids.tick_seed,
		writer->ids.tick_period_ns, &writer->packed));
	return write_block(writer, BLOCK_EVENTS);
}

static size_t batch_bytes(const struct batch *batch)
{
	return batch->definitions.size + batch->events.count * sizeof batch->events.data[0];
}

static void batch_destroy(struct batch *batch)
{
	if (!batch)
		return;
	buffer_deinit(&batch->definitions);
	vec_free(&batch->events);
	free(batch);
}

/* All the room at once: what is not used is never touched, and nothing is copied when it fills. */
static struct batch *batch_create(void)
{
	struct batch *batch = calloc(1, sizeof *batch);
	if (batch && !vec_reserve(&batch->events, WRITER_BATCH_EVENTS)) {
		free(batch);
		return NULL;
	}
	return batch;
}

/* Under the lock. */
static void recycle(struct recording_writer *writer, struct batch *batch)
{
	if (writer->spares == SPARE_MAX || batch->definitions.capacity > WRITER_BATCH_DEFINITIONS) {
		batch_destroy(batch);
		return;
	}
	batch->definitions.size = batch->events.count = 0;
	batch->dated = false;
	batch->next = writer->spare;
	writer->spare = batch;
	writer->spares++;
}

static void *write_batches(void *arg)
{
	struct recording_writer *writer = arg;
	pthread_mutex_lock(&writer->lock);
	for (;;) {
		while (!writer->first && !writer->stop)
			pthread_cond_wait(&writer->work, &writer->lock);
		struct batch *batch = writer->first;
		if (!batch)
			break;
		writer->first = batch->next;
		if (!writer->first)
			writer->last = &writer->first;
		pthread_mutex_unlock(&writer->lock);
		struct error *error = writer->failed ? NULL : write_batch(writer, batch);
		pthread_mutex_lock(&writer->lock);
		if (error) {
			writer->error = error;
			writer->failed = true;
		}
		writer->pending -= batch_bytes(batch);
		recycle(writer, batch);
		pthread_cond_signal(&writer->room);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

/* All signals stay with the caller's threads: a signal for the recorder must not end up here. SIGXFSZ is among them, so
 * that a file size limit is an error of write() and does not kill. */
static struct error *start_thread(struct recording_writer *writer)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int errnum = pthread_create(&writer->thread, NULL, write_batches, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errnum)
		return error_os(errnum, "cannot start the thread that writes '%s'", writer->output.part);
	writer->has_thread = true;
	return NULL;
}

static void stop_thread(struct recording_writer *writer)
{
	if (!writer->has_thread)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->stop = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	writer->has_thread = false;
}

/* ---- the caller ---- */

static struct recording_writer *writer_of(struct sink *sink)
{
	return (struct recording_writer *)sink;
}

/* The error that the writing thread came upon. It may be asked for twice: by the next call and at the end. */
static struct error *failure(struct recording_writer *writer)
{
	struct error *error = writer->error;
	if (error == &error_no_memory)
		return error;
	struct error *copy = error_new(error->kind, "%s", error->message);
	if (copy != &error_no_memory)
		copy->errnum = error->errnum;
	return copy;
}

/* Whether the call may go on; *ret_error is what it should return if not. */
static bool accept(struct recording_writer *writer, struct error **ret_error)
{
	*ret_error = NULL;
	if (writer->failed) {
		if (!writer->reported)
			*ret_error = failure(writer);
		writer->reported = true;
		return false;
	}
	return true;
}

/* An empty batch becomes the current one. */
static struct error *next_batch(struct recording_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	struct batch *batch = writer->spare;
	if (batch) {
		writer->spare = batch->next;
		writer->spares--;
	}
	pthread_mutex_unlock(&writer->lock);
	if (!batch)
		batch = batch_create();
	if (!batch)
		return &error_no_memory;
	batch->next = NULL;
	writer->current = batch;
	return NULL;
}

/* The current batch goes to the thread. */
static void submit(struct recording_writer *writer)
{
	struct batch *batch = writer->current;
	writer->current = NULL;
	pthread_mutex_lock(&writer->lock);
	writer->pending += batch_bytes(batch);
	*writer->last = batch;
	writer->last = &batch->next;
	pthread_cond_signal(&writer->work);
	while (writer->pending > WRITER_PENDING_MAX && !writer->failed)
		pthread_cond_wait(&writer->room, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
}

/* The batch to put something into. */
static struct error *open_batch(struct recording_writer *writer, struct batch **ret)
{
	struct batch *batch = writer->current;
	if (batch &&
		(batch->events.count == WRITER_BATCH_EVENTS || batch->definitions.size >= WRITER_BATCH_DEFINITIONS))
		submit(writer);
	if (!writer->current)
		TRY(next_batch(writer));
	*ret = writer->current;
	return NULL;
}

/* Before a definition: where to put it. *ret is NULL when it is not to be kept. */
static struct error *begin_definition(struct recording_writer *writer, struct buffer **ret)
{
	struct error *error;
	*ret = NULL;
	if (!accept(writer, &error))
		return error;
	TRY(ids_check_open(&writer->ids));
	struct batch *batch;
	TRY(open_batch(writer, &batch));
	*ret = &batch->definitions;
	return NULL;
}

static struct error *writer_begin(struct sink *sink, const struct recording_info *info)
{
	struct recording_writer *writer = writer_of(sink);
	struct error *error;
	struct batch *batch;
	if (!accept(writer, &error))
		return error;
	TRY(open_batch(writer, &batch));
	TRY(ids_add_info(&writer->ids, info));
	record_put_info(&batch->definitions, info);
	return batch->definitions.failed ? &error_no_memory : NULL;
}

#define DEFINE_DEFINITION(name, type)                                                        \
	static struct error *writer_##name(struct sink *sink, const struct type *definition) \
	{                                                                                    \
		struct recording_writer *writer = writer_of(sink);                           \
		struct buffer *buffer;                                                       \
		TRY(begin_definition(writer, &buffer));                                      \
		if (!buffer)                                                                 \
			return NULL;                                                         \
		TRY(ids_add_##name(&writer->ids, definition));                               \
		record_put_##name(buffer, definition);                                       \
		return buffer->failed ? &error_no_memory : NULL;                             \
	}
DEFINE_DEFINITION(process, process_def)
DEFINE_DEFINITION(thread, thread_def)
DEFINE_DEFINITION(code, code_def)
DEFINE_DEFINITION(stack, stack_def)

/* The last record of the file: in a batch of its own, as the definitions of a batch come before its events. */
static struct error *writer_end(struct sink *sink, const struct recording_end *end)
{
	struct recording_writer *writer = writer_of(sink);
	struct buffer *buffer;
	if (writer->current && writer->current->events.count)
		submit(writer);
	TRY(begin_definition(writer, &buffer));
	if (!buffer)
		return NULL;
	TRY(ids_add_end(&writer->ids, end));
	record_put_end(buffer, end);
	return buffer->failed ? &error_no_memory : NULL;
}

static struct error *check_events(const struct recording_writer *writer, const struct event *events, size_t count)
{
	TRY(ids_check_open(&writer->ids));
	for (size_t i = 0; i < count; i++) {
		const char *problem = ids_event_problem(&writer->ids, &events[i]);
		if (__builtin_expect(problem != NULL, 0))
			return error_new(ERROR_CORRUPT, "%s", problem);
	}
	return NULL;
}

static struct error *writer_events(struct sink *sink, const struct event *events, size_t count)
{
	struct recording_writer *writer = writer_of(sink);
	struct error *error;
	if (!accept(writer, &error))
		return error;
	TRY(check_events(writer, events, count));
	while (count) {
		struct batch *batch;
		TRY(open_batch(writer, &batch));
		size_t room = WRITER_BATCH_EVENTS - batch->events.count;
		size_t some = count < room ? count : room;
		memcpy(batch->events.data + batch->events.count, events, some * sizeof *events);
		batch->events.count += some;
		if (!batch->dated) {
			batch->dated = true;
			batch->begun = events->time;
		}
		events += some;
		count -= some;
	}
	return NULL;
}

static const struct sink_ops writer_ops = {
	.begin = writer_begin,
	.process = writer_process,
	.thread = writer_thread,
	.code = writer_code,
	.stack = writer_stack,
	.events = writer_events,
	.end = writer_end,
};

static void destroy(struct recording_writer *writer)
{
	stop_thread(writer);
	while (writer->spare) {
		struct batch *batch = writer->spare;
		writer->spare = batch->next;
		batch_destroy(batch);
	}
	batch_destroy(writer->current);
	events_encoder_destroy(writer->encoder);
	compressor_destroy(writer->compressor);
	packed_deinit(&writer->packed);
	output_deinit(&writer->output);
	ids_deinit(&writer->ids);
	pthread_cond_destroy(&writer->work);
	pthread_cond_destroy(&writer->room);
	pthread_mutex_destroy(&writer->lock);
	error_free(writer->error);
	free(writer);
}

static struct error *begin_file(struct recording_writer *writer)
{
	writer->encoder = events_encoder_create();
	writer->compressor = compressor_create();
	if (!writer->encoder || !writer->compressor)
		return &error_no_memory;
	struct block_file_header header = block_file_header_make();
	TRY(output_append(&writer->output, &header, sizeof header, NULL, 0));
	return start_thread(writer);
}

struct error *recording_writer_create(const char *path, struct sink **ret)
{
	struct recording_writer *writer = calloc(1, sizeof *writer);
	if (!writer)
		return &error_no_memory;
	writer->sink.ops = &writer_ops;
	writer->last = &writer->first;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->work, NULL);
	pthread_cond_init(&writer->room, NULL);
	struct error *error = output_init(&writer->output, path);
	if (!error) {
		error = begin_file(writer);
		if (error)
			output_remove(&writer->output);
	}
	if (error) {
		destroy(writer);
		return error;
	}
	*ret = &writer->sink;
	return NULL;
}

struct error *recording_writer_flush(struct sink *sink, uint64_t now)
{
	struct recording_writer *writer = writer_of(sink);
	struct error *error;
	if (!accept(writer, &error))
		return error;
	struct batch *batch = writer->current;
	if (!batch || !batch_bytes(batch))
		return NULL;
	if (!batch->dated) {
		batch->dated = true;
		batch->begun = now;
	}
	if (now > batch->begun && now - batch->begun >= WRITER_BATCH_AGE_NS)
		submit(writer);
	return NULL;
}

struct error *recording_writer_sync(struct sink *sink)
{
	struct recording_writer *writer = writer_of(sink);
	struct error *error;
	if (!accept(writer, &error))
		return error;
	if (writer->current && batch_bytes(writer->current))
		submit(writer);
	pthread_mutex_lock(&writer->lock);
	while (writer->pending && !writer->failed)
		pthread_cond_wait(&writer->room, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
	return accept(writer, &error) ? NULL : error;
}

static void write_rest(struct recording_writer *writer)
{
	if (writer->current && batch_bytes(writer->current))
		submit(writer);
	stop_thread(writer);
}

struct error *recording_writer_finish(struct sink *sink)
{
	struct recording_writer *writer = writer_of(sink);
	write_rest(writer);
	struct error *error = writer->failed ? failure(writer) : output_commit(&writer->output);
	destroy(writer);
	return error;
}

void recording_writer_abort(struct sink *sink)
{
	if (!sink)
		return;
	struct recording_writer *writer = writer_of(sink);
	write_rest(writer);
	if (!writer->sequence)
		output_remove(&writer->output);
	destroy(writer);
}
