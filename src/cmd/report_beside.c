/* report_beside.c: see report_beside.h. */
#include "cmd/report_beside.h"

#include <string.h>

#include "cmd/foreign.h"
#include "profile/rss.h"
#include "recording/reader.h"

struct error *report_beside_check(const struct outputs *outputs)
{
	static const char *const able[] = { "text", "svg", "json" };
	for (size_t i = 0; i < outputs->items.count; i++) {
		const struct report_format *format = outputs->items.data[i].format;
		bool is_able = false;
		for (size_t k = 0; format && k < sizeof able / sizeof *able; k++)
			is_able |= strcmp(format->name, able[k]) == 0;
		if (!is_able)
			return error_new(ERROR_USAGE,
				"%s can hold one recording only: name .txt, .svg or .json for several",
				outputs->items.data[i].path);
	}
	return NULL;
}

static struct error *check(const struct profile *profile, const char *path)
{
	return profile->rss
		       ? NULL
		       : error_new(ERROR_USAGE,
				 "%s has no resident memory: only recordings of `memory --rss` and mprof's files can be "
				 "shown together",
				 path);
}

static struct error *read_one(const char *path, struct profile *profile)
{
	struct outputs outputs = { .quiet = true, .profile = profile };
	struct recording_status status = { .complete = true };
	char *title = NULL;
	struct error *error = foreign_read(path, &outputs, &title);
	if (!error && !title)
		error = recording_read(path, &profile->sink, &status);
	if (!error && !status.complete)
		fprintf(stderr, "pyrometer report: warning: %s is not whole: %s\n", path, status.reason);
	free(title);
	if (error)
		return error;
	TRY(check(profile, path));
	profile->rss->title = path;
	return NULL;
}

struct error *report_beside_read(struct outputs *outputs, const char *first, char *const *words, size_t count)
{
	TRY(check(outputs->profile, first));
	struct profile_rss *rss = outputs->profile->rss;
	rss->title = first;
	for (size_t i = 0; i < count; i++) {
		struct profile *profile;
		TRY(profile_create(NULL, &profile));
		if (!vec_push(&rss->beside, profile)) {
			profile_destroy(profile);
			return &error_no_memory;
		}
		TRY(read_one(words[i], profile));
	}
	return NULL;
}
