/* block_tool.c: for check_blocks.py: how long the blocks of functions are. Each line of stdin is the path of a file and
 * numbers of lines, between tabs; the answer is a line of numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/vec.h"
#include "report/block.h"

static void read_all(const char *path, struct buffer *content)
{
	char chunk[1 << 16];
	FILE *file = fopen(path, "r");
	if (!file)
		abort();
	for (size_t count; (count = fread(chunk, 1, sizeof chunk, file)) > 0;)
		buffer_add(content, chunk, count);
	fclose(file);
}

static void answer(char *words)
{
	VEC(struct text) lines = { 0 };
	struct buffer content = { 0 };
	read_all(strsep(&words, "\t"), &content);
	for (const char *at = content.data, *end = at + content.size; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((newline ? newline : end) - at);
		vec_push(&lines, (struct text){ at, size });
		at += size + 1;
	}
	for (const char *word; (word = strsep(&words, "\t"));) {
		size_t first = strtoul(word, NULL, 10) - 1;
		printf("%zu ", first < lines.count ? block_count_lines(&lines.data[first], lines.count - first) : 0);
	}
	putchar('\n');
	vec_free(&lines);
	buffer_deinit(&content);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	free(line);
	return 0;
}
