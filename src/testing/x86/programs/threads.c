/*
 * Threads on as many processors as there are: counters behind locks and without, conditions, barriers, storage of a thread's own, signals to one of them, and numbers with a fraction in
 * all of them at once.
 */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, TURNS = 5000, ROOM = 8, ITEMS = 2000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static long locked, spun;
static _Atomic long atomic;
static __thread long own;
static struct {
  uint64_t low, high;
} wide __attribute__((aligned(16)));

static void add16(uint64_t low) {
  uint64_t a = wide.low, d = wide.high;
  char done;
  do {
    uint64_t b = a + low, c = d + (b < a) + 1;
    asm volatile("lock cmpxchg16b %0; sete %1" : "+m"(wide), "=q"(done), "+a"(a), "+d"(d) : "b"(b), "c"(c) : "cc", "memory");
  } while (!done);
}

static void *counting(void *argument) {
  long n = (long)argument;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < TURNS; i++) {
    pthread_mutex_lock(&mutex);
    locked += n;
    pthread_mutex_unlock(&mutex);
    pthread_spin_lock(&spin);
    spun ^= locked & 0;
    spun++;
    pthread_spin_unlock(&spin);
    atomic_fetch_add(&atomic, 3);
    own += n;
    if (i % 4 == 0) add16(0xfedcba9876543210ull);
  }
  pthread_barrier_wait(&barrier);
  return (void *)own;
}

static pthread_cond_t notFull = PTHREAD_COND_INITIALIZER, notEmpty = PTHREAD_COND_INITIALIZER;
static int room[ROOM], filled, head;

static void *produce(void *argument) {
  for (int i = 0; i < ITEMS; i++) {
    pthread_mutex_lock(&mutex);
    while (filled == ROOM) pthread_cond_wait(&notFull, &mutex);
    room[(head + filled++) % ROOM] = i + (int)(long)argument;
    pthread_cond_signal(&notEmpty);
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static void *consume(void *argument) {
  long sum = 0;
  for (int i = 0; i < ITEMS; i++) {
    pthread_mutex_lock(&mutex);
    while (filled == 0) pthread_cond_wait(&notEmpty, &mutex);
    sum += room[head];
    head = (head + 1) % ROOM;
    filled--;
    pthread_cond_signal(&notFull);
    pthread_mutex_unlock(&mutex);
  }
  *(long *)argument = sum;
  return 0;
}

static void *wave(void *argument) {
  double x = 0.1 + 0.1 * (double)(long)argument;
  long double y = 1;
  for (int i = 0; i < 3000; i++) {
    x = 3.99 * x * (1 - x);
    y = sqrtl(y + (long double)x);
  }
  double *result = malloc(2 * sizeof *result);
  result[0] = x;
  result[1] = (double)y;
  return result;
}

static sem_t ready, done;
static pthread_t caughtBy;
static void caught(int signal) {
  (void)signal;
  caughtBy = pthread_self();
  sem_post(&done);
}
static void *sleeper(void *argument) {
  (void)argument;
  sem_post(&ready);
  while (!caughtBy) usleep(1000);
  return 0;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int onces;
static void first(void) { onces++; }
static pthread_key_t key;
static _Atomic int destroyed;
static void destroy(void *value) { destroyed += *(int *)value; }
static void *keyed(void *argument) {
  pthread_once(&once, first);
  pthread_setspecific(key, argument);
  return 0;
}

int main(void) {
  pthread_t threads[THREADS];
  pthread_spin_init(&spin, 0);
  pthread_barrier_init(&barrier, 0, THREADS);
  for (long n = 0; n < THREADS; n++) pthread_create(&threads[n], 0, counting, (void *)(n + 1));
  for (int n = 0; n < THREADS; n++) {
    void *result;
    pthread_join(threads[n], &result);
    printf("thread %d: %ld\n", n, (long)result);
  }
  printf("locked %ld spun %ld atomic %ld wide %016llx%016llx\n", locked, spun, atomic, (unsigned long long)wide.high,
         (unsigned long long)wide.low);

  long sums[2];
  pthread_create(&threads[0], 0, produce, (void *)0);
  pthread_create(&threads[1], 0, consume, &sums[0]);
  pthread_create(&threads[2], 0, produce, (void *)100000);
  pthread_create(&threads[3], 0, consume, &sums[1]);
  for (int n = 0; n < THREADS; n++) pthread_join(threads[n], 0);
  printf("consumed %ld, left %d\n", sums[0] + sums[1], filled);

  for (long n = 0; n < THREADS; n++) pthread_create(&threads[n], 0, wave, (void *)n);
  for (int n = 0; n < THREADS; n++) {
    double *result;
    pthread_join(threads[n], (void **)&result);
    printf("wave %.17g %.17g\n", result[0], result[1]);
  }

  sem_init(&ready, 0, 0);
  sem_init(&done, 0, 0);
  signal(SIGUSR1, caught);
  pthread_create(&threads[0], 0, sleeper, 0);
  sem_wait(&ready);
  pthread_kill(threads[0], SIGUSR1);
  while (sem_wait(&done) != 0);
  printf("the right one has caught it: %d\n", pthread_equal(caughtBy, threads[0]) != 0);
  pthread_join(threads[0], 0);

  static int weights[THREADS] = {1, 10, 100, 1000};
  pthread_key_create(&key, destroy);
  for (int n = 0; n < THREADS; n++) pthread_create(&threads[n], 0, keyed, &weights[n]);
  for (int n = 0; n < THREADS; n++) pthread_join(threads[n], 0);
  printf("once %d, destroyed %d\n", onces, destroyed);
  return 2;
}
