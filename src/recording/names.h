/* names.h: the words for the numbers in struct event, the same in every text and export. */
#pragma once
#include "base/buffer.h"
#include "recording/event.h"

/* "?" for a number that has no meaning. */
const char *event_kind_name(unsigned kind);
const char *event_quality_name(unsigned quality);
const char *event_subject_name(unsigned subject);
const char *event_weight_name(unsigned weight);
const char *recording_mode_name(unsigned mode);
/* "on-cpu,holds-gil"; "idle" for no bit. */
void event_state_add_names(struct buffer *buffer, unsigned state);
