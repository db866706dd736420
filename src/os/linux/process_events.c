/* process_events.c: see os/process_events.h. By the connector of netlink (linux/cn_proc.h): one datagram an event. A
 * filter in the kernel drops what is not asked for (threads, changes of user, names), so that it never wakes us or
 * fills the buffer. */
#include "os/process_events.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* Some 6,000 events: half a second of a machine that starts 4,000 processes a second. */
	RECEIVE_BUFFER = 4 << 20,
	/* cn_proc.h has them as anonymous enums inside a struct that has grown; their values are fixed. */
	WHAT_NONE = 0,
	WHAT_FORK = 1,
	WHAT_EXEC = 2,
};
static const uint32_t what_exit = 0x80000000u;

enum {
	AT_MESSAGE = NLMSG_HDRLEN,
	AT_EVENT = AT_MESSAGE + sizeof(struct cn_msg),
	AT_WHAT = AT_EVENT + offsetof(struct proc_event, what),
	AT_DATA = AT_EVENT + offsetof(struct proc_event, event_data),
	/* A fork: the parent's thread and process, then the child's. Executions and ends: thread and process. */
	AT_PROCESS = AT_DATA + 4,
	AT_CHILD = AT_DATA + 8,
	AT_CHILD_PROCESS = AT_DATA + 12,
	/* Longer than any event: what is cut is what newer kernels add at the end. */
	DATAGRAM_MAX = 512,
};

/* Passes the answer to our own request, and events in which the thread is its process: word[a] == word[b]. A filter
 * loads words in network order, so the constants are turned. */
static bool set_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_WHAT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WHAT_NONE), 12, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WHAT_FORK), 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_CHILD),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_CHILD_PROCESS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 7, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WHAT_EXEC), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(what_exit), 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_DATA),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_PROCESS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, DATAGRAM_MAX),
	};
	const struct sock_fprog program = { sizeof code / sizeof *code, code };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static bool subscribe(int fd)
{
	const uint32_t operation = PROC_CN_MCAST_LISTEN;
	const struct cn_msg message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof operation };
	unsigned char request[AT_EVENT + sizeof operation];
	const struct nlmsghdr header = { .nlmsg_len = sizeof request, .nlmsg_type = NLMSG_DONE };
	memcpy(request, &header, sizeof header);
	memcpy(request + AT_MESSAGE, &message, sizeof message);
	memcpy(request + AT_EVENT, &operation, sizeof operation);
	return send(fd, request, sizeof request, 0) == sizeof request;
}

static uint32_t word_at(const unsigned char *datagram, size_t at)
{
	uint32_t word;
	memcpy(&word, datagram + at, sizeof word);
	return word;
}

/* The next datagram that is the kernel's, whatever it says. */
static enum process_events_answer receive(int fd, unsigned char *datagram)
{
	for (;;) {
		struct sockaddr_nl sender = { 0 };
		socklen_t sender_size = sizeof sender;
		ssize_t got = recvfrom(
			fd, datagram, DATAGRAM_MAX, MSG_DONTWAIT, (struct sockaddr *)&sender, &sender_size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == ENOBUFS ? PROCESS_EVENTS_LOST : PROCESS_EVENTS_NONE;
		if (sender.nl_pid == 0 && got >= AT_CHILD_PROCESS + 4)
			return PROCESS_EVENTS_ONE;
	}
}

/* The kernel answers while the request is being sent, or not at all: then it does not know us, as in a namespace. */
static bool is_accepted(int fd)
{
	unsigned char datagram[DATAGRAM_MAX];
	for (;;) {
		enum process_events_answer answer = receive(fd, datagram);
		if (answer == PROCESS_EVENTS_NONE)
			return false;
		if (answer == PROCESS_EVENTS_ONE && word_at(datagram, AT_WHAT) == WHAT_NONE)
			return word_at(datagram, AT_DATA) == 0;
	}
}

int process_events_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	if (fd < 0)
		return -1;
	int size = RECEIVE_BUFFER;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	if (set_filter(fd) && bind(fd, (const struct sockaddr *)&group, sizeof group) == 0 && subscribe(fd) &&
		is_accepted(fd))
		return fd;
	close(fd);
	return -1;
}

enum process_events_answer process_events_next(int fd, struct process_event *ret_event)
{
	unsigned char datagram[DATAGRAM_MAX];
	for (;;) {
		enum process_events_answer answer = receive(fd, datagram);
		if (answer != PROCESS_EVENTS_ONE)
			return answer;
		struct process_event event = { 0 };
		memcpy(&event.time, datagram + AT_EVENT + offsetof(struct proc_event, timestamp_ns), sizeof event.time);
		uint32_t what = word_at(datagram, AT_WHAT);
		if (what == WHAT_FORK) {
			event.kind = PROCESS_FORKED;
			event.parent = (pid_t)word_at(datagram, AT_PROCESS);
			event.pid = (pid_t)word_at(datagram, AT_CHILD_PROCESS);
		} else if (what == WHAT_EXEC || what == what_exit) {
			event.kind = what == WHAT_EXEC ? PROCESS_EXECUTED : PROCESS_ENDED;
			event.pid = (pid_t)word_at(datagram, AT_PROCESS);
		} else {
			continue; /* the answer to another's request */
		}
		*ret_event = event;
		return PROCESS_EVENTS_ONE;
	}
}
