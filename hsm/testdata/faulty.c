// A PKCS #11 module that hands all on to another, whose path is in the
// environment (FAULTY_MODULE), but for what a file in a folder (FAULTY_DIR)
// tells it to do at C_Encrypt: hang, crash, lose (the session), and at
// C_EncryptInit: iv (give the IV, as modules do that take none). It prints on
// standard output at every call.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong;
typedef struct { unsigned char major, minor; void *f[68]; } functions;
typedef struct { ulong mechanism; void *parameter; ulong length; } mechanism;
typedef struct { unsigned char *iv; ulong ivLength, ivBits; unsigned char *aad; ulong aadLength, tagBits; } gcm;

enum { GetFunctionList = 3, EncryptInit = 29, Encrypt = 30 };

static functions *real, mine;

static int told(const char *what) {
	char path[4096];
	printf("a module prints what it likes, of %s\n", what);
	fflush(stdout);
	snprintf(path, sizeof path, "%s/%s", getenv("FAULTY_DIR"), what);
	return access(path, F_OK) == 0;
}

static ulong encryptInit(ulong session, mechanism *m, ulong key) {
	gcm *p = m->parameter;
	if (told("iv")) {
		for (ulong i = 0; i < p->ivLength; i++) {
			if (p->iv[i] != 0) return 0x71; // CKR_MECHANISM_PARAM_INVALID
		}
		FILE *random = fopen("/dev/urandom", "r");
		if (random == NULL || fread(p->iv, 1, p->ivLength, random) != p->ivLength) return 5;
		fclose(random);
	}
	return ((ulong (*)(ulong, mechanism *, ulong))real->f[EncryptInit])(session, m, key);
}

static ulong encrypt(ulong session, void *in, ulong n, void *out, ulong *m) {
	if (told("hang")) for (;;) pause();
	if (told("crash")) abort();
	if (told("lose")) return 0xB3; // CKR_SESSION_HANDLE_INVALID
	return ((ulong (*)(ulong, void *, ulong, void *, ulong *))real->f[Encrypt])(session, in, n, out, m);
}

ulong C_GetFunctionList(functions **list) {
	void *module = dlopen(getenv("FAULTY_MODULE"), RTLD_NOW);
	if (module == NULL) return 5;
	ulong (*get)(functions **) = (ulong (*)(functions **))dlsym(module, "C_GetFunctionList");
	if (get == NULL || get(&real) != 0) return 5;
	mine = *real;
	mine.f[GetFunctionList] = (void *)C_GetFunctionList;
	mine.f[EncryptInit] = (void *)encryptInit;
	mine.f[Encrypt] = (void *)encrypt;
	*list = &mine;
	return 0;
}
