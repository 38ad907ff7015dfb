/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Functions that cannot be used safely. The build includes this file before every source file; the
 * system's headers come first, so that only our own calls are refused.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat gets strtok atoi atol atoll
#pragma GCC poison gmtime localtime ctime asctime system popen tmpnam tempnam mktemp
