// A PKCS #11 module that passes everything on to SoftHSM, and does to C_Sign what the folder TESDIQ_FAULTS says: a file "slow" holds
// the milliseconds that it takes longer, "fail" the value that it returns instead. Each call is noted in the file "signed" by a byte.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;
typedef CK_RV (*any)(void);
typedef CK_RV (*sign)(CK_ULONG, unsigned char *, CK_ULONG, unsigned char *, CK_ULONG *);
// The function list of PKCS #11 2.40: a version, padded to a pointer, then the functions in their order, C_Sign the 44th.
typedef struct { unsigned char major, minor; any f[68]; } list;
enum { C_SIGN = 43 };

static list ours;
static sign real;

static long control(const char *name) {
	char path[4096], text[32] = {0};
	const char *dir = getenv("TESDIQ_FAULTS");
	if (!dir) return 0;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int f = open(path, O_RDONLY);
	if (f < 0) return 0;
	ssize_t n = read(f, text, sizeof text - 1);
	close(f);
	return n > 0 ? strtol(text, NULL, 0) : 0;
}

static CK_RV faulty(CK_ULONG session, unsigned char *data, CK_ULONG size, unsigned char *out, CK_ULONG *room) {
	long slow = control("slow"), fail = control("fail");
	if (slow > 0) usleep(slow * 1000);
	if (fail != 0) return (CK_RV)fail;
	CK_RV rv = real(session, data, size, out, room);
	const char *dir = getenv("TESDIQ_FAULTS");
	if (rv == 0 && out != NULL && dir) {
		char path[4096];
		snprintf(path, sizeof path, "%s/signed", dir);
		int f = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		if (f >= 0) {
			ssize_t n = write(f, ".", 1);
			(void)n;
			close(f);
		}
	}
	return rv;
}

CK_RV C_GetFunctionList(list **out) {
	if (real == NULL) {
		void *module = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
		if (module == NULL) return 5;
		CK_RV (*get)(list **) = (CK_RV (*)(list **))dlsym(module, "C_GetFunctionList");
		list *theirs;
		if (get == NULL || get(&theirs) != 0) return 5;
		ours = *theirs;
		real = (sign)ours.f[C_SIGN];
		ours.f[C_SIGN] = (any)faulty;
	}
	*out = &ours;
	return 0;
}
