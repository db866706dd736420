#include "cmd/signals.h"

#include <signal.h>
#include <stddef.h>

#include "base/clock.h"
#include "os/spawn.h"

/* What the handler leaves for the loop: the only state that a signal handler can have. */
static volatile sig_atomic_t signal_count, signal_to_pass;

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	signal_count++;
	if (info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL)
		signal_to_pass = number;
}

void signals_catch(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
		struct sigaction before;
		if (sigaction(caught[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN)
			continue;
		sigaction(caught[i],
			&(struct sigaction){ .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART }, NULL);
	}
}

void signals_pass_on(pid_t pid)
{
	int number = signal_to_pass;
	signal_to_pass = 0;
	if (number)
		kill(pid, number);
}

bool signals_asked_to_end(void)
{
	return signal_count > 0;
}

bool signals_asked_to_leave(void)
{
	return signal_count > 1;
}

bool signals_await_end(pid_t pid, void (*meanwhile)(void *), void *context, int *ret_status)
{
	while (!signals_asked_to_leave()) {
		signals_pass_on(pid);
		if (spawn_has_ended(pid, ret_status))
			return true;
		if (meanwhile)
			meanwhile(context);
		clock_sleep_until(clock_now() + 2 * NS_PER_MS);
	}
	return false;
}
