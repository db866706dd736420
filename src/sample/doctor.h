/* doctor.h: can it be sampled; if not, the exact cause and what mends it.
 *
 * doctor_collect() gathers facts, doctor_decide() draws conclusions from nothing but them: so that every machine that
 * somebody may have (a container without CAP_SYS_PTRACE, Yama, another user's process) is a test with canned facts.
 * It stands in sample/ because it needs the facts of os/ and those of cpython/, and because who samples wants to say
 * why it could not. */
#pragma once
#include "os/facts.h"
#include "sample/inspect.h"

struct doctor_facts {
	struct machine_facts machine;
	bool has_target;
	struct target_facts target;
	struct inspection inspection; /* of the target */
};

enum finding_kind {
	FINDING_BLOCKS, /* it cannot be sampled */
	FINDING_WARNS,	/* it can, with what is said */
};

struct finding {
	enum finding_kind kind;
	const char *id;	  /* a stable word, for scripts: "yama", "other-user" */
	char cause[320];  /* one sentence, without a full stop */
	char remedy[320]; /* a command to type, or what to change; "" when nothing can be done */
};

enum { DOCTOR_FINDINGS_MAX = 16 };

struct diagnosis {
	struct finding findings[DOCTOR_FINDINGS_MAX]; /* what blocks comes first */
	size_t count;
};

/* `pid` 0: of this machine and of programs that are started here. */
void doctor_collect(pid_t pid, struct doctor_facts *ret_facts);
/* Pure: looks at nothing but the facts. */
void doctor_decide(const struct doctor_facts *facts, struct diagnosis *ret_diagnosis);
bool doctor_can_sample(const struct diagnosis *diagnosis);

/* Whether CAP_SYS_PTRACE is among these effective capabilities. */
bool doctor_may_ptrace(const struct credentials *credentials);

/* An error, ERROR_DENIED, that says in one sentence why this process cannot be read and what to do: for who was
 * refused. `otherwise` is what to say when no cause is found; it is consumed. */
struct error *doctor_explain(pid_t pid, struct error *otherwise);
