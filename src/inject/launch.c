#include "inject/launch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "inject/agent_file.h"

/* Memory that every program of this machine sees, where there is some: what is counted is written there all the time.
 */
static struct error *make_folder(struct launch *launch)
{
	static const char shared[] = "/dev/shm/pyrometer-XXXXXX", temporary[] = "/tmp/pyrometer-XXXXXX";
	launch->folder = strdup(access("/dev/shm", W_OK) == 0 ? shared : temporary);
	if (!launch->folder)
		return &error_no_memory;
	if (mkdtemp(launch->folder))
		return NULL;
	int why = errno;
	free(launch->folder);
	launch->folder = NULL;
	return error_os(why, "cannot make a folder for what is counted");
}

static struct error *set_environment(const struct launch *launch, const struct calls_orders *wanted)
{
	_cleanup_buffer_ struct buffer preload = { 0 }, orders = { 0 };
	const char *before = getenv("LD_PRELOAD");
	buffer_printf(&preload, "%s%s%s", launch->agent, before && *before ? ":" : "", before ? before : "");
	if (!calls_orders_write(wanted, launch->folder, &orders))
		return error_new(
			ERROR_USAGE, "more is asked of the agent than it takes: give fewer or shorter options");
	const char *list = buffer_string(&preload);
	bool failed = preload.failed || setenv("LD_PRELOAD", list, 1) || setenv("PYROMETER_AGENT", orders.data, 1);
	return failed ? &error_no_memory : NULL;
}

static char *preload_before;

struct error *launch_prepare(struct launch *launch, const struct calls_orders *orders)
{
	TRY(agent_file_make(orders->memory ? AGENT_MEMORY : AGENT_CALLS, &launch->agent));
	TRY(make_folder(launch));
	const char *before = getenv("LD_PRELOAD");
	preload_before = before ? strdup(before) : NULL;
	return set_environment(launch, orders);
}

void launch_done(void)
{
	unsetenv("PYROMETER_AGENT");
	if (preload_before)
		setenv("LD_PRELOAD", preload_before, 1);
	else
		unsetenv("LD_PRELOAD");
	free(preload_before);
	preload_before = NULL;
}

void launch_deinit(struct launch *launch)
{
	_cleanup_closedir_ DIR *folder = launch->folder ? opendir(launch->folder) : NULL;
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (launch->folder)
		rmdir(launch->folder);
	free(launch->folder);
	free(launch->agent);
	*launch = (struct launch){ 0 };
}
