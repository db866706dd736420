/* fuzz_elf.c: ELF objects that lie, in memory and as files. The fuzzer's bytes are the object, mapped at a fixed
 * address. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/elf_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BASE = 0x400000 };

struct bytes_memory {
	struct memory memory;
	const uint8_t *data;
	size_t size;
};

static ssize_t bytes_read(struct memory *memory, const struct iovec *local, const struct iovec *remote, size_t count)
{
	const struct bytes_memory *bytes = (const struct bytes_memory *)memory;
	ssize_t total = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)(uintptr_t)remote[i].iov_base - BASE;
		if (at > bytes->size || remote[i].iov_len > bytes->size - at) {
			errno = EFAULT;
			return total ? total : -1;
		}
		memcpy(local[i].iov_base, bytes->data + at, remote[i].iov_len);
		total += (ssize_t)remote[i].iov_len;
	}
	return total;
}

static void look_in_memory(const uint8_t *data, size_t size)
{
	static const struct memory_ops ops = { .read = bytes_read };
	struct bytes_memory bytes = { { &ops }, data, size };
	struct elf_image image;
	uint64_t address;
	struct error *error = elf_image_read(&bytes.memory, BASE, &image);
	if (!error)
		elf_image_symbol(&bytes.memory, &image, "_PyRuntime", &address);
	error_free(error);
}

static void look_in_file(const uint8_t *data, size_t size)
{
	uint64_t address, length;
	int fd = memfd_create("elf", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	elf_file_symbol(fd, BASE, "_PyRuntime", &address);
	elf_file_section(fd, BASE, ".PyRuntime", &address, &length);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	look_in_memory(data, size);
	look_in_file(data, size);
	return 0;
}
