/* remote_frame.c: see remote_frame.h. What the kernel builds for a signal handler, built by us: its return address is
 * the code of rt_sigreturn, which takes everything back from what lies above it. */
#include "os/linux/remote_frame.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <ucontext.h>

const unsigned char remote_sigreturn_code[9] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };

#ifdef __x86_64__
#include <cpuid.h>

enum {
	RED_ZONE = 128,
	FLAG_TRAP = 1 << 8,
	FLAG_DIRECTION = 1 << 10,
	FEATURES_AT = 464, /* of the mask that the kernel leaves among the extended state's unused bytes */
	STATE_HEADER_AT = 512,
	LEGACY_SIZE = 576,  /* of x87 and SSE, and the header */
	TILE_DATA = 1 << 18 /* 8 KiB of AMX, which few threads have; the kernel refuses it of the others */
};

struct error *remote_state_read(pid_t tid, struct remote_state *ret_state)
{
	struct remote_state *state = ret_state;
	struct iovec all = { state->extended, sizeof state->extended };
	if (ptrace(PTRACE_GETREGS, tid, 0, &state->registers) ||
		ptrace(PTRACE_GETSIGMASK, tid, sizeof state->signals, &state->signals) ||
		ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &all))
		return errno == ESRCH ? error_new(ERROR_GONE, "thread %d has ended", tid)
				      : error_os(errno, "cannot read the registers of thread %d", tid);
	state->extended_size = all.iov_len;
	return all.iov_len >= LEGACY_SIZE ? NULL
					  : error_new(ERROR_UNSUPPORTED, "this processor or kernel has no XSAVE");
}

static uint64_t word_at(const unsigned char *bytes, size_t offset)
{
	uint64_t word;
	memcpy(&word, bytes + offset, sizeof word);
	return word;
}

/* The features that this thread has room for, and up to where they reach. */
static uint64_t choose_features(const struct remote_state *state, size_t *ret_size)
{
	uint64_t features = word_at(state->extended, FEATURES_AT);
	if (!(word_at(state->extended, STATE_HEADER_AT) & TILE_DATA))
		features &= ~(uint64_t)TILE_DATA;
	size_t end = LEGACY_SIZE;
	for (unsigned i = 2; i < 63; i++) {
		unsigned size = 0, offset = 0, flags = 0, unused = 0;
		if (features >> i & 1 && __get_cpuid_count(0xd, i, &size, &offset, &flags, &unused) &&
			offset + size > end)
			end = offset + size;
	}
	*ret_size = end < state->extended_size ? end : state->extended_size;
	return features;
}

static void fill_context(ucontext_t *context, const struct user_regs_struct *back, uint64_t signals, uint64_t extended)
{
	enum { EXTENDED = 1, STACK_SEGMENT = 2, STACK_SEGMENT_STRICT = 4, NO_SUCH_MODE = 3 };
	greg_t *r = context->uc_mcontext.gregs;
	context->uc_flags = EXTENDED | STACK_SEGMENT | STACK_SEGMENT_STRICT;
	context->uc_stack.ss_flags = NO_SUCH_MODE; /* so that the kernel leaves the alternate stack as it is */
	r[REG_R8] = (greg_t)back->r8, r[REG_R9] = (greg_t)back->r9, r[REG_R10] = (greg_t)back->r10;
	r[REG_R11] = (greg_t)back->r11, r[REG_R12] = (greg_t)back->r12, r[REG_R13] = (greg_t)back->r13;
	r[REG_R14] = (greg_t)back->r14, r[REG_R15] = (greg_t)back->r15, r[REG_RDI] = (greg_t)back->rdi;
	r[REG_RSI] = (greg_t)back->rsi, r[REG_RBP] = (greg_t)back->rbp, r[REG_RBX] = (greg_t)back->rbx;
	r[REG_RDX] = (greg_t)back->rdx, r[REG_RAX] = (greg_t)back->rax, r[REG_RCX] = (greg_t)back->rcx;
	r[REG_RSP] = (greg_t)back->rsp, r[REG_RIP] = (greg_t)back->rip, r[REG_EFL] = (greg_t)back->eflags;
	r[REG_CSGSFS] = (greg_t)(back->cs | back->gs << 16 | back->fs << 32 | back->ss << 48);
	memcpy(&context->uc_mcontext.fpregs, &extended, sizeof extended);
	memcpy(&context->uc_sigmask, &signals, sizeof signals);
}

/* The extended state as rt_sigreturn wants it: what the kernel leaves unused says how much there is. */
static size_t fill_extended(unsigned char *bytes, const struct remote_state *state)
{
	struct {
		uint32_t magic, whole;
		uint64_t features;
		uint32_t size, padding[7];
	} about = { .magic = 0x46505853 };
	static const uint32_t end_magic = 0x46505845;
	size_t size;
	about.features = choose_features(state, &size);
	about.size = (uint32_t)size;
	about.whole = (uint32_t)(size + sizeof end_magic);
	memcpy(bytes, state->extended, size);
	memcpy(bytes + FEATURES_AT, &about, sizeof about);
	memcpy(bytes + size, &end_magic, sizeof end_magic);
	return size + sizeof end_magic;
}

struct error *remote_frame_write(pid_t pid, const struct remote_state *state, const struct user_regs_struct *back,
	const struct remote_places *places, const struct remote_call *call, struct user_regs_struct *ret_registers,
	uint64_t *ret_frame)
{
	unsigned char extended[REMOTE_EXTENDED_MAX + 4];
	ucontext_t context = { 0 };
	size_t extended_size = fill_extended(extended, state);
	uint64_t data = (back->rsp - RED_ZONE - call->size) & ~15ull, floating = (data - extended_size) & ~63ull,
		 frame = (floating - sizeof context) & ~15ull, entry = frame - sizeof places->sigreturn;
	fill_context(&context, back, state->signals, floating);
	const struct iovec local[] = { { (void *)&places->sigreturn, sizeof places->sigreturn },
		{ &context, sizeof context }, { extended, extended_size }, { (void *)call->data, call->size } };
	const struct iovec remote[] = { { (void *)entry, sizeof places->sigreturn }, { (void *)frame, sizeof context },
		{ (void *)floating, extended_size }, { (void *)data, call->size } };
	ssize_t all = (ssize_t)(sizeof places->sigreturn + sizeof context + extended_size + call->size);
	if (process_vm_writev(pid, local, 4, remote, 4, 0) != all)
		return error_new(ERROR_NOT_READY, "the stack of process %d has no room", pid);
	*ret_registers = *back;
	ret_registers->rip = call->function;
	ret_registers->rdi = data;
	ret_registers->rsi = call->second;
	ret_registers->rsp = entry;
	ret_registers->rax = 0;
	ret_registers->orig_rax = (unsigned long long)-1;
	ret_registers->eflags &= ~(unsigned long long)(FLAG_TRAP | FLAG_DIRECTION);
	*ret_frame = frame;
	return NULL;
}
#else
struct error *remote_state_read(pid_t tid, struct remote_state *ret_state)
{
	(void)tid, (void)ret_state;
	return error_new(ERROR_UNSUPPORTED, "on this processor only programs that pyrometer starts can be measured");
}

struct error *remote_frame_write(pid_t pid, const struct remote_state *state, const struct user_regs_struct *back,
	const struct remote_places *places, const struct remote_call *call, struct user_regs_struct *ret_registers,
	uint64_t *ret_frame)
{
	(void)pid, (void)state, (void)back, (void)places, (void)call, (void)ret_registers, (void)ret_frame;
	return error_new(ERROR_UNSUPPORTED, "on this processor only programs that pyrometer starts can be measured");
}
#endif
