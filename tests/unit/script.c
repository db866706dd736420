/* script.c: a recording of calls from lines of words between tabs, so that a test in another language can write one:
 *
 *     process PID                                 thread PROCESS TID NAME
 *     code FLAGS LINE NAME QUALNAME FILE          stack PARENT CODE
 *     tally SUBJECT THREAD STACK COUNT WALL       cost SUBJECT PROCESS INSIDE BESIDE
 *
 * Subjects are numbers of enum subject, relative to SUBJECT_CALLS. What is defined is numbered from 1, in its order. */
#include <stdlib.h>
#include <string.h>

#include "synthetic.h"

enum { WORDS = 8 };

static uint64_t number(const char *word)
{
	return strtoull(word, NULL, 10);
}

static void feed_line(struct feed *feed, char *const words[WORDS])
{
	const char *kind = words[0];
	uint64_t n[WORDS];
	for (size_t i = 0; i < WORDS; i++)
		n[i] = number(words[i]);
	if (strcmp(kind, "process") == 0)
		feed_process(feed, (uint32_t)n[1], "python3 script.py", "/srv");
	else if (strcmp(kind, "thread") == 0)
		feed_thread(feed, (uint32_t)n[1], (uint32_t)n[2], words[3]);
	else if (strcmp(kind, "code") == 0)
		feed_callable(feed, words[3], words[4], words[5], (uint32_t)n[2], (uint32_t)n[1]);
	else if (strcmp(kind, "stack") == 0)
		feed_path(feed, (uint32_t)n[1], (uint32_t)n[2]);
	else if (strcmp(kind, "tally") == 0)
		feed_tally(feed, (uint32_t)n[2], (uint32_t)n[3], SUBJECT_CALLS + (enum subject)n[1], n[4], n[5], 0);
	else if (strcmp(kind, "cost") == 0)
		feed_cost(feed, (uint32_t)n[2], SUBJECT_CALLS + (enum subject)n[1], n[3], n[4]);
	else
		abort();
}

void feed_script(struct sink *sink, FILE *lines)
{
	struct feed feed;
	char *line = NULL;
	size_t size = 0;
	feed_begin_calls(&feed, sink);
	for (ssize_t length; (length = getline(&line, &size, lines)) > 0;) {
		static char nothing[] = "";
		char *words[WORDS], *rest = line;
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < WORDS; i++) {
			words[i] = strsep(&rest, "\t");
			words[i] = words[i] ? words[i] : nothing;
		}
		feed_line(&feed, words);
	}
	free(line);
	feed_end(&feed);
}
