/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-threads.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

/*
 * How often a thread looks for work, or for the end of it, before it sleeps: on an Intel Xeon for some
 * 200 microseconds, as long as the last task of a loop. A frame is some fifty short parallel loops;
 * waking a sleeper for each would cost a millisecond. After LOOKS_AWAKE it offers its processor to
 * whoever wants it each time.
 */
#define LOOKS 800
#define LOOKS_AWAKE 400

/* A call of cpu_parallel(), on its caller's stack. */
typedef struct Job {
    CpuTask run;
    void *data;
    int n_tasks;
    atomic_int next;  /* the first task that nobody has taken */
    atomic_int users; /* workers inside; grows only under the pool's lock, while listed */
    struct Job *link;
} Job;

struct CpuPool {
    pthread_mutex_t lock; /* of jobs, stop */
    pthread_cond_t work, done;
    Job *jobs;
    /* Read without the lock: how many loops ever were listed, and how many are. */
    atomic_uint listed;
    atomic_int running;
    bool stop;
    int n_workers;
    pthread_t *workers;
};

typedef struct {
    CpuPool *pool;
    int index;
} Start;

/* Between look @number and the next. */
static void pause_briefly(int number)
{
    if (number >= LOOKS_AWAKE) {
        sched_yield();
        return;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* A worker stands aside for each further caller, until the next loop: no more threads run than there are
 * in the pool. */
static bool may_run(CpuPool *pool, int worker)
{
    return worker == 0 || worker + atomic_load(&pool->running) <= pool->n_workers + 1;
}

static void run_tasks(CpuPool *pool, Job *job, int worker)
{
    for (int task;
         may_run(pool, worker) && (task = atomic_fetch_add(&job->next, 1)) < job->n_tasks;)
        job->run(job->data, task, worker);
}

static Job *find_job(CpuPool *pool, int worker)
{
    for (Job *job = pool->jobs; job && may_run(pool, worker); job = job->link)
        if (atomic_load(&job->next) < job->n_tasks)
            return job;
    return NULL;
}

static void *work(void *argument)
{
    Start start = *(Start *)argument;
    CpuPool *pool = start.pool;
    g_free(argument);
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        Job *job = find_job(pool, start.index);
        if (!job) {
            unsigned listed = atomic_load(&pool->listed);
            pthread_mutex_unlock(&pool->lock);
            for (int i = 0; i < LOOKS && atomic_load(&pool->listed) == listed; i++)
                pause_briefly(i);
            pthread_mutex_lock(&pool->lock);
            if (!pool->stop && atomic_load(&pool->listed) == listed)
                pthread_cond_wait(&pool->work, &pool->lock);
            continue;
        }
        atomic_fetch_add(&job->users, 1);
        pthread_mutex_unlock(&pool->lock);
        run_tasks(pool, job, start.index);
        pthread_mutex_lock(&pool->lock);
        if (atomic_fetch_sub(&job->users, 1) == 1)
            pthread_cond_broadcast(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Workers leave all signals to the host's own threads. */
static bool start_worker(CpuPool *pool, int index)
{
    sigset_t all, before;
    sigfillset(&all);
    Start *start = g_new(Start, 1);
    *start = (Start){pool, index};
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&pool->workers[index - 1], NULL, work, start) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started)
        g_free(start);
    return started;
}

CpuPool *cpu_pool_new(int threads)
{
    CpuPool *pool = g_new0(CpuPool, 1);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->workers = g_new0(pthread_t, threads);
    /* Fewer threads than asked for are slower, not wrong. */
    while (pool->n_workers < threads - 1 && start_worker(pool, pool->n_workers + 1))
        pool->n_workers++;
    return pool;
}

void cpu_pool_free(CpuPool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_workers; i++)
        pthread_join(pool->workers[i], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    g_free(pool->workers);
    g_free(pool);
}

int cpu_pool_threads(const CpuPool *pool)
{
    return pool->n_workers + 1;
}

static void list_job(CpuPool *pool, Job *job)
{
    pthread_mutex_lock(&pool->lock);
    job->link = pool->jobs;
    pool->jobs = job;
    atomic_fetch_add(&pool->running, 1);
    pthread_cond_broadcast(&pool->work);
    /* Last: those who are awake come at once, and would wait for the lock. */
    atomic_fetch_add(&pool->listed, 1);
    pthread_mutex_unlock(&pool->lock);
}

/* After this nobody enters the job; returns when the last one inside has left it. */
static void unlist_job(CpuPool *pool, Job *job)
{
    for (int i = 0; i < LOOKS && atomic_load(&job->users); i++)
        pause_briefly(i);
    pthread_mutex_lock(&pool->lock);
    Job **at = &pool->jobs;
    while (*at != job)
        at = &(*at)->link;
    *at = job->link;
    atomic_fetch_sub(&pool->running, 1);
    while (atomic_load(&job->users))
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void cpu_parallel(CpuPool *pool, int n_tasks, CpuTask run, void *data)
{
    Job job = {.run = run, .data = data, .n_tasks = n_tasks};
    bool shared = n_tasks > 1 && pool->n_workers > 0;
    if (shared)
        list_job(pool, &job);
    run_tasks(pool, &job, 0);
    if (shared)
        unlist_job(pool, &job);
}

int cpu_available(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    return (int)g_get_num_processors();
}
