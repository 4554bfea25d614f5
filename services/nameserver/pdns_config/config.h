// SPDX-License-Identifier: GPL-2.0-only
#pragma once

// What PowerDNS's own configure would find out, as far as its headers ask: Debian's build has all of it. Written by hand,
// so that its build system needs not run. A macro that differs from the server's would change the layout of its classes.
#define HAVE_EVP_MD_CTX_NEW 1
#define HAVE_EVP_MD_CTX_FREE 1
#define HAVE_LUA_RECORDS 1
#define VERSION "4.7.3"
