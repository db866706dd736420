#include "sample/sites.h"

enum { CALLS = 1, PUSHES = 2, NAME_SHIFT = 2 };

static uint64_t pack(struct call_site site)
{
	return (uint64_t)(int64_t)site.name << NAME_SHIFT | (site.pushes ? PUSHES : 0) | (site.calls ? CALLS : 0);
}

static struct call_site unpack(uint64_t packed)
{
	return (struct call_site){
		.calls = packed & CALLS, .pushes = packed & PUSHES, .name = (int32_t)((int64_t)packed >> NAME_SHIFT)
	};
}

/* A frame that has not begun stands at -1. */
static uint64_t place_key(uint32_t id, int32_t offset)
{
	return (uint64_t)id << 32 | (uint32_t)(offset + 2);
}

static struct call_site look(struct sites *sites, const struct codes *codes, uint64_t code, uint32_t id, int32_t offset)
{
	struct call_site site = call_site_look(codes->memory, codes->runtime, code, offset);
	map_put(&sites->places, place_key(id, offset), pack(site)); /* without memory it is looked up again */
	return site;
}

struct call_site sites_look(struct sites *sites, const struct codes *codes, uint64_t code, uint32_t id, int32_t offset)
{
	const uint64_t *known = map_get(&sites->places, place_key(id, offset));
	return known ? unpack(*known) : look(sites, codes, code, id, offset);
}

struct call_site sites_look_again(
	struct sites *sites, const struct codes *codes, uint64_t code, uint32_t id, int32_t offset)
{
	const uint64_t *known = map_get(&sites->places, place_key(id, offset));
	return known && *known & PUSHES ? unpack(*known) : look(sites, codes, code, id, offset);
}

int32_t sites_find(struct sites *sites, const struct codes *codes, uint64_t code, uint32_t id,
	const struct code_entry *callee, int32_t before)
{
	uint64_t key = (uint64_t)id << 32 | callee->id;
	if (map_get(&sites->nowhere, key))
		return -1;
	int64_t site = call_site_find(
		codes->memory, codes->runtime, code, callee->head.name, code_head_is_generator(&callee->head), before);
	if (site < 0)
		map_put(&sites->nowhere, key, 1);
	return (int32_t)site;
}

void sites_deinit(struct sites *sites)
{
	map_deinit(&sites->places);
	map_deinit(&sites->nowhere);
}
