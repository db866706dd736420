#include "os/elf_image.h"

#include <elf.h>
#include <string.h>

/* Of a segment that claims to be larger, so much is believed: some are looked through to their end. */
static const uint64_t segment_size_max = 256 << 20;

enum { SEGMENTS_MAX = 64, DYNAMIC_MAX = 256, CHAIN_MAX = 1 << 20, NAME_MAX_LENGTH = 128 };

static bool read_header(struct memory *memory, uint64_t base, Elf64_Ehdr *ret_header)
{
	return memory_read(memory, base, ret_header, sizeof *ret_header) &&
	       memcmp(ret_header->e_ident, ELFMAG, SELFMAG) == 0;
}

bool elf_image_is_32bit(struct memory *memory, uint64_t base)
{
	Elf64_Ehdr header; /* what is read of it is alike in both */
	return read_header(memory, base, &header) && header.e_ident[EI_CLASS] == ELFCLASS32;
}

static void take_dynamic(struct elf_image *image, const Elf64_Dyn *entry)
{
	/* The loader has made these absolute on glibc; musl leaves them relative. */
	uint64_t address = entry->d_un.d_ptr;
	if (address < image->bias)
		address += image->bias;
	switch (entry->d_tag) {
	case DT_SYMTAB:
		image->symbols = address;
		break;
	case DT_STRTAB:
		image->strings = address;
		break;
	case DT_STRSZ:
		image->strings_size = entry->d_un.d_val;
		break;
	case DT_HASH:
		image->hash = address;
		break;
	case DT_GNU_HASH:
		image->gnu_hash = address;
		break;
	}
}

static void read_dynamic(struct memory *memory, struct elf_image *image, uint64_t address)
{
	for (size_t i = 0; i < DYNAMIC_MAX; i++) {
		Elf64_Dyn entry;
		if (!memory_read(memory, address + i * sizeof entry, &entry, sizeof entry) || entry.d_tag == DT_NULL)
			return;
		take_dynamic(image, &entry);
	}
}

struct error *elf_image_read(struct memory *memory, uint64_t base, struct elf_image *ret_image)
{
	Elf64_Ehdr header;
	if (!read_header(memory, base, &header))
		return error_new(ERROR_UNSUPPORTED, "no ELF object at %#llx", (unsigned long long)base);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return error_new(ERROR_UNSUPPORTED, "the ELF object at %#llx is not 64-bit little-endian",
			(unsigned long long)base);
	if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > SEGMENTS_MAX)
		return error_new(ERROR_UNSUPPORTED, "the ELF object at %#llx has no readable program headers",
			(unsigned long long)base);
	Elf64_Phdr parts[SEGMENTS_MAX];
	if (!memory_read(memory, base + header.e_phoff, parts, header.e_phnum * sizeof *parts))
		return error_new(ERROR_UNSUPPORTED, "the program headers of the ELF object at %#llx cannot be read",
			(unsigned long long)base);

	struct elf_image image = { .base = base, .bias = base };
	uint64_t dynamic = 0;
	bool first = true;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		const Elf64_Phdr *part = &parts[i];
		if (part->p_type == PT_LOAD && first) {
			image.bias = base - (part->p_vaddr & ~(uint64_t)4095);
			first = false;
		}
		if (part->p_type == PT_LOAD && image.segment_count < sizeof image.segments / sizeof *image.segments)
			image.segments[image.segment_count++] = (struct elf_segment){
				.start = image.bias + part->p_vaddr,
				.end = image.bias + part->p_vaddr +
				       (part->p_memsz < segment_size_max ? part->p_memsz : segment_size_max),
				.writable = part->p_flags & PF_W,
				.executable = part->p_flags & PF_X,
			};
		if (part->p_type == PT_DYNAMIC)
			dynamic = part->p_vaddr;
	}
	if (dynamic)
		read_dynamic(memory, &image, image.bias + dynamic);
	*ret_image = image;
	return NULL;
}

static bool symbol_matches(
	struct memory *memory, const struct elf_image *image, uint32_t index, const char *name, Elf64_Sym *ret_symbol)
{
	Elf64_Sym symbol;
	char found[NAME_MAX_LENGTH];
	if (!memory_read(memory, image->symbols + index * sizeof symbol, &symbol, sizeof symbol) ||
		symbol.st_name >= image->strings_size || symbol.st_shndx == SHN_UNDEF ||
		!memory_read_string(memory, image->strings + symbol.st_name, found, sizeof found) ||
		strcmp(found, name) != 0)
		return false;
	*ret_symbol = symbol;
	return true;
}

static bool find_gnu(struct memory *memory, const struct elf_image *image, const char *name, Elf64_Sym *ret_symbol)
{
	uint32_t head[4]; /* buckets, first symbol, bloom words, bloom shift */
	if (!memory_read(memory, image->gnu_hash, head, sizeof head) || !head[0])
		return false;
	uint32_t hash = 5381;
	for (const char *p = name; *p; p++)
		hash = hash * 33 + (unsigned char)*p;
	uint64_t buckets = image->gnu_hash + sizeof head + (uint64_t)head[2] * 8,
		 chains = buckets + (uint64_t)head[0] * 4;
	uint32_t index;
	if (!memory_read_u32(memory, buckets + hash % head[0] * 4ull, &index) || index < head[1])
		return false;
	for (unsigned i = 0; i < CHAIN_MAX; i++, index++) {
		uint32_t link;
		if (!memory_read_u32(memory, chains + (uint64_t)(index - head[1]) * 4, &link))
			return false;
		if ((link | 1) == (hash | 1) && symbol_matches(memory, image, index, name, ret_symbol))
			return true;
		if (link & 1)
			return false;
	}
	return false;
}

static bool find_sysv(struct memory *memory, const struct elf_image *image, const char *name, Elf64_Sym *ret_symbol)
{
	uint32_t head[2]; /* buckets, chains */
	if (!memory_read(memory, image->hash, head, sizeof head) || !head[0])
		return false;
	uint32_t hash = 0;
	for (const char *p = name; *p; p++) {
		hash = (hash << 4) + (unsigned char)*p;
		hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
	}
	uint64_t buckets = image->hash + sizeof head, chains = buckets + (uint64_t)head[0] * 4;
	uint32_t index;
	if (!memory_read_u32(memory, buckets + hash % head[0] * 4ull, &index))
		return false;
	for (unsigned i = 0; index && i < CHAIN_MAX; i++) {
		if (symbol_matches(memory, image, index, name, ret_symbol))
			return true;
		if (!memory_read_u32(memory, chains + index * 4ull, &index))
			return false;
	}
	return false;
}

static bool find_symbol(struct memory *memory, const struct elf_image *image, const char *name, Elf64_Sym *ret_symbol)
{
	if (!image->symbols || !image->strings)
		return false;
	if (image->gnu_hash)
		return find_gnu(memory, image, name, ret_symbol);
	return image->hash && find_sysv(memory, image, name, ret_symbol);
}

bool elf_image_symbol(struct memory *memory, const struct elf_image *image, const char *name, uint64_t *ret_address)
{
	Elf64_Sym symbol;
	if (!find_symbol(memory, image, name, &symbol))
		return false;
	*ret_address = image->bias + symbol.st_value;
	return true;
}

bool elf_image_function(
	struct memory *memory, const struct elf_image *image, const char *name, uint64_t *ret_start, uint64_t *ret_end)
{
	Elf64_Sym symbol;
	if (!find_symbol(memory, image, name, &symbol))
		return false;
	*ret_start = image->bias + symbol.st_value;
	*ret_end = *ret_start + symbol.st_size;
	return true;
}
