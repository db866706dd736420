/* formats.h: one entry a format, each in its own file. */
#pragma once
#include "report/report.h"

extern const struct report_format report_format_text;
extern const struct report_format report_format_json;
extern const struct report_format report_format_collapsed;
extern const struct report_format report_format_speedscope;
extern const struct report_format report_format_pprof;
extern const struct report_format report_format_svg;
extern const struct report_format report_format_pstats;
extern const struct report_format report_format_lprof;
extern const struct report_format report_format_callgrind;
extern const struct report_format report_format_chrome;
extern const struct report_format report_format_perfetto;
extern const struct report_format report_format_dat;
