/* Text: the library's functions at every alignment and up to the end of a page, numbers there and back, sorting and searching, formats, patterns, wide characters. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>
#include <wchar.h>

static uint64_t hash = 14695981039346656037ull;
static void mix(int64_t value) { hash = (hash ^ (uint64_t)value) * 1099511628211ull; }
static int sign(int value) { return (value > 0) - (value < 0); }

/* A page whose next one is not there. */
static char *edge(void) {
  char *at = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(at + 4096, 4096);
  return at + 4096;
}

static void ends(void) {
  char *a = edge(), *b = edge();
  for (int length = 0; length < 150; length++) {
    char *x = a - length - 1, *y = b - length - 1;
    for (int i = 0; i < length; i++) x[i] = (char)('a' + (i * 7 + length) % 23);
    x[length] = 0;
    mix((int64_t)strlen(x));
    mix((int64_t)strnlen(x, (size_t)length + 1));
    strcpy(y, x);
    mix(strcmp(x, y));
    if (length > 3) {
      y[length / 2]++;
      mix(sign(strcmp(x, y))), mix(sign(memcmp(x, y, (size_t)length))), mix(sign(strncmp(x, y, (size_t)length / 2)));
      mix(strchr(x, 'q') ? strchr(x, 'q') - x : -1), mix(strrchr(x, 'c') ? strrchr(x, 'c') - x : -1);
      mix((char *)memchr(x, 'm', (size_t)length) ? (char *)memchr(x, 'm', (size_t)length) - x : -1);
      mix(strstr(x, "bip") ? strstr(x, "bip") - x : -1);
      mix((int64_t)strspn(x, "abcdefghijklm")), mix((int64_t)strcspn(x, "xyz")), mix(sign(strcasecmp(x, y)));
      memset(y, 'z', (size_t)length);
      mix(y[length - 1]);
      memmove(x + 1, x, (size_t)length - 1);
      mix((int64_t)(strlen(x) + (size_t)(x[length / 2])));
      memcpy(y, x + 1, (size_t)length - 1);
      mix(y[length / 3]);
    }
  }
  printf("ends %016llx\n", (unsigned long long)hash);
}

static void alignments(void) {
  static uint8_t from[700], to[700];
  for (int i = 0; i < 700; i++) from[i] = (uint8_t)(i * i + 3 * i);
  for (size_t a = 0; a < 17; a += 3) {
    for (size_t b = 0; b < 17; b += 4) {
      for (size_t size = 0; size < 600; size += 1 + size / 3) {
        memset(to, (int)size, sizeof to);
        memcpy(to + b, from + a, size);
        mix(to[b + size]), mix(size ? to[b + size - 1] : 0);
        memmove(to + a, to + b, size);
        mix(memcmp(to + a, from + a, size) == 0);
        for (size_t i = 0; i < 700; i += 50) mix(to[i]);
      }
    }
  }
  printf("alignments %016llx\n", (unsigned long long)hash);
}

static void numbers(void) {
  static const char *const texts[] = {"0x1F", "-077", "99999999999999999999", "12abc", "", "  +5", "z", "-9223372036854775808"};
  for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
    char *end;
    errno = 0;
    long value = strtol(texts[i], &end, 0);
    printf("%ld %d '%s' %ld; ", value, errno == ERANGE, end, strtol(texts[i], 0, 36));
  }
  printf("\n");
  static const char *const fractions[] = {"3.14159", "1e400", "-1e-400", "0x1.8p3", "inf", "2.2250738585072011e-308", "0.1e1x"};
  for (unsigned i = 0; i < sizeof fractions / sizeof *fractions; i++) {
    char *end;
    double value = strtod(fractions[i], &end);
    printf("%.17g %a '%s' %.9g; ", value, value, end, (double)strtof(fractions[i], 0));
  }
  printf("\n%5d|%-8x|%+.3e|%08.3f|%s|%.3s|%c|%%|%#o|%'d|%*d|%lld|%zu|%5.1Lf|%g\n", -42, 0xbeefu, 12345.678, -3.14159, "text",
         "abcdef", 'q', 8u, 1234567, 7, 3, -(1ll << 62), sizeof(long), 2.25L, 1e-5);
  int day, year, used;
  char month[10];
  double number;
  int got = sscanf("12 May 2009, 1.5e3 rest", "%d %9s %d, %lf%n", &day, month, &year, &number, &used);
  printf("%d: %d %s %d %g %d\n", got, day, month, year, number, used);
}

static int byLength(const void *a, const void *b) {
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  int difference = (int)strlen(x) - (int)strlen(y);
  return difference ? difference : strcmp(x, y);
}

static void order(void) {
  char text[] = "the quick brown fox jumps over the lazy dog while a sphinx of black quartz judges my vow and packs five dozen jugs";
  char *words[40];
  int count = 0;
  for (char *word = strtok(text, " "); word; word = strtok(0, " ")) words[count++] = word;
  qsort(words, (size_t)count, sizeof *words, byLength);
  for (int i = 0; i < count; i++) printf("%s ", words[i]);
  const char *wanted = "judges";
  char **found = bsearch(&wanted, words, (size_t)count, sizeof *words, byLength);
  printf("%ld\n", found ? (long)(found - words) : -1);
  hcreate(100);
  for (long i = 0; i < count; i++) hsearch((ENTRY){words[i], (void *)i}, ENTER);
  ENTRY *entry = hsearch((ENTRY){"sphinx", 0}, FIND);
  printf("%ld %d\n", entry ? (long)entry->data : -1, hsearch((ENTRY){"cat", 0}, FIND) != 0);
}

static void patterns(void) {
  static const char *const subjects[] = {"eth0: 10.0.0.17/24 up", "lo: 127.0.0.1/8 up", "sit0: none"};
  regex_t pattern;
  regmatch_t parts[4];
  regcomp(&pattern, "^([a-z]+[0-9]*): ([0-9]+\\.){3}([0-9]+)/", REG_EXTENDED);
  for (int i = 0; i < 3; i++) {
    int result = regexec(&pattern, subjects[i], 4, parts, 0);
    printf("%d", result);
    for (int p = 0; p < 4 && result == 0; p++)
      printf(" '%.*s'", (int)(parts[p].rm_eo - parts[p].rm_so), subjects[i] + parts[p].rm_so);
    printf("\n");
  }
  regfree(&pattern);
}

static void wide(void) {
  wchar_t letters[64];
  printf("%zu", mbstowcs(letters, "as wide as that", 64));
  wmemset(letters, L'x', 20);
  letters[20] = 0;
  printf(" %zu %d", wcslen(letters), wcscmp(letters, L"xxxy") < 0);
  swprintf(letters, 64, L"%ls:%d", L"wide", 12);
  printf(" %ls\n", letters);
  struct tm parts;
  time_t when = 1242109972;
  char text[64];
  gmtime_r(&when, &parts);
  strftime(text, sizeof text, "%a %d %b %Y %H:%M:%S %j %U", &parts);
  printf("%s %ld\n", text, (long)timegm(&parts));
  for (int i = 0; i < 128; i++) mix(isalpha(i) ? 1 : isdigit(i) ? 2 : isspace(i) ? 3 : ispunct(i) ? 4 : 5);
  printf("classes %016llx\n", (unsigned long long)hash);
}

int main(void) {
  ends();
  alignments();
  numbers();
  order();
  patterns();
  wide();
  return 0;
}
