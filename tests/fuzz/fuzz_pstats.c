/* fuzz_pstats.c: any bytes as a file of cProfile, and what can be read of them in every format of calls. */
#include <stdlib.h>

#include "profile/pstats_reader.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "text", "json", "pstats", "callgrind" };
	struct profile *profile;
	struct report_options options = report_options_default();
	if (profile_create(NULL, &profile))
		abort();
	struct error *error = pstats_read(data, size, profile);
	for (size_t i = 0; !error && i < sizeof names / sizeof *names; i++) {
		struct buffer out = { 0 };
		options.callers = i ? NULL : "";
		error = report_find_format(names[i])->write(profile, &options, &out);
		buffer_deinit(&out);
	}
	error_free(error);
	profile_destroy(profile);
	return 0;
}
