/* value.h: what people type for durations, rates, counts and process numbers. Every function takes the whole word or
 * nothing: it returns false, and writes nothing, for a word that is not entirely what it should be. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* "10" (seconds), "1.5", "500ms", "2m", "1h", "250us" -> nanoseconds, never 0. At most a year. */
bool value_parse_duration(const char *text, uint64_t *ret_ns);

enum { VALUE_RATE_HIGHEST_HZ = 1000000 };

/* "1000" (a second), "10khz", "10k", an interval with its unit ("100us", "5ms"), or "max" -> samples in 1000 seconds
 * (millihertz); 0 is "max": as fast as it goes. At most VALUE_RATE_HIGHEST_HZ. */
bool value_parse_rate(const char *text, uint64_t *ret_millihertz);

/* "4096", "200k", "1.5M", "2G", with or without B or iB behind: bytes, never 0; all are powers of 1024. */
bool value_parse_size(const char *text, uint64_t *ret_bytes);

/* A whole number from 1 to UINT32_MAX. */
bool value_parse_count(const char *text, uint32_t *ret_count);

/* A number that a process can have. */
bool value_parse_pid(const char *text, pid_t *ret_pid);
