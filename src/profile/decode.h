/* decode.h: where a function comes from, by its file. */
#pragma once
#include "profile/profile.h"

/* What a path says about the code in it. `ret_package`: the library's own name within site-packages, else empty. */
enum profile_origin profile_find_origin(struct text file, struct text *ret_package);
