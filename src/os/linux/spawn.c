#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

/* In the child. What it cannot do it says through the pipe, which a successful exec closes. */
static void run_child(const char *executable, char *const *argv, int report_fd, const sigset_t *mask)
{
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction action;
		/* What was ignored when we were started stays ignored, as after any exec. */
		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execv(executable, argv);
	int why = errno;
	ssize_t written = write(report_fd, &why, sizeof why);
	_exit(written == sizeof why ? 127 : 126);
}

struct error *spawn_program(const char *executable, char *const *argv, pid_t *ret_pid)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC))
		return error_os(errno, "cannot make a pipe");
	_cleanup_close_ int read_end = ends[0];
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0)
		run_child(executable, argv, ends[1], &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (pid < 0)
		return error_os(errno, "cannot start %s", executable);
	int why;
	if (read(read_end, &why, sizeof why) == sizeof why) {
		waitpid(pid, NULL, 0);
		struct error *error = error_os(why, "cannot execute %s", executable);
		if (error != &error_no_memory)
			error->kind = why == ENOENT ? ERROR_NOT_FOUND : ERROR_NOT_EXECUTABLE;
		return error;
	}
	*ret_pid = pid;
	return NULL;
}

bool spawn_gives_rights(const char *executable)
{
	struct stat is;
	if (stat(executable, &is))
		return false;
	return (is.st_mode & S_ISUID && is.st_uid != getuid()) ||
	       (is.st_mode & S_ISGID && is.st_mode & S_IXGRP && is.st_gid != getgid()) ||
	       (getuid() && getxattr(executable, "security.capability", NULL, 0) > 0);
}

/* A child that we also stop now and then (stop.h) reports its stops to whoever waits for it: those are not ours to
 * take. */
bool spawn_has_ended(pid_t pid, int *ret_status)
{
	siginfo_t info = { 0 };
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid != pid)
		return false;
	if (info.si_code == CLD_EXITED)
		*ret_status = W_EXITCODE(info.si_status, 0);
	else if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		*ret_status = W_EXITCODE(0, info.si_status) | (info.si_code == CLD_DUMPED ? WCOREFLAG : 0);
	else
		return false;
	return true;
}

int spawn_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
