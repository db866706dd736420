/* The sections and the .symtab of an ELF file: read by pread piece by piece, so that a file that changes or lies under
 * us can at worst give a wrong answer, which the caller checks against the target's memory. */
#include "os/elf_image.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"

enum { SECTIONS_MAX = 4096, SYMBOLS_MAX = 1 << 20, TABLE_MAX = 64 << 20 };

struct elf_sections {
	Elf64_Shdr *data;
	size_t count;
	char *names;
	size_t names_size;
};

static bool read_at(int fd, uint64_t offset, void *bytes, size_t size)
{
	return pread(fd, bytes, size, (off_t)offset) == (ssize_t)size;
}

static char *read_table(int fd, const Elf64_Shdr *section)
{
	if (!section->sh_size || section->sh_size > TABLE_MAX)
		return NULL;
	_cleanup_free_ char *bytes = malloc(section->sh_size + 1);
	if (!bytes || !read_at(fd, section->sh_offset, bytes, section->sh_size))
		return NULL;
	bytes[section->sh_size] = '\0';
	return take_ptr(bytes);
}

static bool read_sections(int fd, struct elf_sections *ret)
{
	Elf64_Ehdr header;
	if (!read_at(fd, 0, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
		header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr) ||
		header.e_shnum > SECTIONS_MAX || header.e_shstrndx >= header.e_shnum)
		return false;
	size_t size = header.e_shnum * sizeof(Elf64_Shdr);
	_cleanup_free_ Elf64_Shdr *sections = malloc(size);
	if (!sections || !read_at(fd, header.e_shoff, sections, size))
		return false;
	char *names = read_table(fd, &sections[header.e_shstrndx]);
	if (!names)
		return false;
	*ret = (struct elf_sections){ take_ptr(sections), header.e_shnum, names, 0 };
	ret->names_size = ret->data[header.e_shstrndx].sh_size;
	return true;
}

static void sections_deinit(struct elf_sections *sections)
{
	free(sections->data);
	free(sections->names);
}

bool elf_file_section(int fd, uint64_t bias, const char *name, uint64_t *ret_address, uint64_t *ret_size)
{
	__attribute__((cleanup(sections_deinit))) struct elf_sections sections = { 0 };
	if (!read_sections(fd, &sections))
		return false;
	for (size_t i = 0; i < sections.count; i++) {
		const Elf64_Shdr *section = &sections.data[i];
		if (section->sh_name < sections.names_size && section->sh_addr &&
			strcmp(sections.names + section->sh_name, name) == 0) {
			*ret_address = bias + section->sh_addr;
			*ret_size = section->sh_size;
			return true;
		}
	}
	return false;
}

bool elf_file_symbol(int fd, uint64_t bias, const char *name, uint64_t *ret_address)
{
	__attribute__((cleanup(sections_deinit))) struct elf_sections sections = { 0 };
	if (!read_sections(fd, &sections))
		return false;
	for (size_t i = 0; i < sections.count; i++) {
		const Elf64_Shdr *section = &sections.data[i];
		if (section->sh_type != SHT_SYMTAB || section->sh_link >= sections.count)
			continue;
		const Elf64_Shdr *strings_section = &sections.data[section->sh_link];
		_cleanup_free_ char *strings = read_table(fd, strings_section);
		_cleanup_free_ char *symbols = read_table(fd, section);
		size_t count = symbols ? section->sh_size / sizeof(Elf64_Sym) : 0;
		for (size_t k = 0; strings && k < count && k < SYMBOLS_MAX; k++) {
			Elf64_Sym symbol;
			memcpy(&symbol, symbols + k * sizeof symbol, sizeof symbol);
			if (symbol.st_name < strings_section->sh_size && symbol.st_shndx != SHN_UNDEF &&
				strcmp(strings + symbol.st_name, name) == 0) {
				*ret_address = bias + symbol.st_value;
				return true;
			}
		}
	}
	return false;
}
