/* elf_image.h: an ELF object as it lies in a target's memory: its segments and its dynamic symbols. Reading memory
 * instead of the file works alike for binaries that were deleted, replaced, renamed, stripped of sections, or that live
 * in another mount namespace. The file's own .symtab and sections are a help where it can be had (elf_file). All of it
 * is hostile input. */
#pragma once
#include "os/maps.h"
#include "os/memory.h"

struct elf_segment {
	uint64_t start, end; /* in memory */
	bool writable, executable;
};

struct elf_image {
	uint64_t base; /* where its first page lies */
	uint64_t bias; /* add to a virtual address of the file */
	uint64_t symbols, strings, strings_size, hash, gnu_hash;
	struct elf_segment segments[16];
	size_t segment_count;
};

/* From the page that begins with the ELF header. ERROR_UNSUPPORTED for what is no 64-bit little-endian ELF. */
struct error *elf_image_read(struct memory *memory, uint64_t base, struct elf_image *ret_image);
bool elf_image_is_32bit(struct memory *memory, uint64_t base);
/* Address of a dynamic symbol; false when it has none of that name. */
bool elf_image_symbol(struct memory *memory, const struct elf_image *image, const char *name, uint64_t *ret_address);
/* The same, and where the code ends. */
bool elf_image_function(
	struct memory *memory, const struct elf_image *image, const char *name, uint64_t *ret_start, uint64_t *ret_end);

/* Address of a symbol of the file's .symtab or of a section, as it is in memory with `bias`; false when not there.
 * `fd` is the file (maps_open_file); it may be -1. */
bool elf_file_symbol(int fd, uint64_t bias, const char *name, uint64_t *ret_address);
bool elf_file_section(int fd, uint64_t bias, const char *name, uint64_t *ret_address, uint64_t *ret_size);
