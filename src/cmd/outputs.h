/* outputs.h: where a recording command's results go: the recording itself, reports beside it, and the text at the end.
 *
 * Recordings grow as FILE.part; everything else is written beside and renamed when it is whole. An existing file is as
 * it was until then. */
#pragma once
#include "cmd/option.h"
#include "profile/memory_choice.h"
#include "recording/tee.h"
#include "report/report.h"

struct output {
	const char *path;		    /* "-": stdout */
	const struct report_format *format; /* NULL: the recording */
	struct sink *writer;		    /* of a recording */
	/* Of a format that is written while events come. */
	struct report_stream *stream;
	FILE *file;
	char *beside; /* what is to take its place when it is whole; NULL: `file` is it */
};

struct outputs {
	VEC(struct output) items;
	struct tee tee;
	struct profile *profile;      /* what is reported; NULL when nothing is */
	struct report_options report; /* for all reports; set by the command */
	struct memory_choice memory;  /* what they show of memory; set before outputs_open() */
	char *default_path;	      /* NAME-PID.pyro, when no -o was given */
	bool quiet;
	bool profiled; /* there is to be a profile, even if nothing is reported */
	bool discard;  /* nothing was recorded: no FILE.part is to stay */
};

/* Opens what -o names. `format` overrides what the names say; NULL: they do. */
struct error *outputs_open(struct outputs *outputs, const struct option_list *paths, const char *format);
/* Without -o: whether the current folder can take a recording. */
struct error *outputs_check_folder(const struct outputs *outputs);
/* Without -o: NAME-PID.pyro, -2, -3 when taken. `name` NULL: that of the process. */
struct error *outputs_open_default(struct outputs *outputs, const char *name, pid_t pid);
/* Where everything is fed. */
struct sink *outputs_sink(struct outputs *outputs);
struct error *outputs_flush(struct outputs *outputs, uint64_t now);
/* All that they were fed can be read in recordings. */
struct error *outputs_sync(struct outputs *outputs);
/* Writes the reports, gives the recordings their names and prints the report at the end. */
struct error *outputs_finish(struct outputs *outputs);
/* Recordings that were not finished stay as FILE.part. */
void outputs_deinit(struct outputs *outputs);
