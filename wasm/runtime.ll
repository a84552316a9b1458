; What numba's kernels need of its runtime for one series at a time: memory is taken from the end of what is in use,
; and given back all at once by `reset`.
@top = internal global i32 0
@__heap_base = external global i8

define void @reset() {
  store i32 ptrtoint (ptr @__heap_base to i32), ptr @top
  ret void
}

define ptr @alloc(i32 %size) {
  %from = load i32, ptr @top
  %up = add i32 %from, 63
  %at = and i32 %up, -64
  %end = add i32 %at, %size
  store i32 %end, ptr @top
  %pages = call i32 @llvm.wasm.memory.size.i32(i32 0)
  %beyond = add i32 %end, 65535
  %needed = lshr i32 %beyond, 16
  %more = sub i32 %needed, %pages
  %short = icmp sgt i32 %more, 0
  br i1 %short, label %grow, label %done
grow:
  %wanted = add i32 %more, 16
  %got = call i32 @llvm.wasm.memory.grow.i32(i32 0, i32 %wanted)
  %failed = icmp eq i32 %got, -1
  br i1 %failed, label %full, label %done
full:
  call void @llvm.trap()
  unreachable
done:
  %found = inttoptr i32 %at to ptr
  ret ptr %found
}

; A block of memory with its head: one user, no destructor, and where the data are, whatever a pointer's size.
define ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 %align) {
  %head = call ptr @alloc(i32 64)
  %bytes = trunc i64 %size to i32
  %data = call ptr @alloc(i32 %bytes)
  store i64 1, ptr %head
  %destructor = getelementptr i8, ptr %head, i32 8
  store ptr null, ptr %destructor
  %info = getelementptr i8, ptr %head, i32 12
  store ptr null, ptr %info
  %place = getelementptr i8, ptr %head, i32 16
  store ptr %data, ptr %place
  %wide = getelementptr i8, ptr %head, i32 24
  store ptr %data, ptr %wide
  ret ptr %head
}

define void @NRT_MemInfo_call_dtor(ptr %head) {
  ret void
}

define i8 @release(ptr %users, i64 %by, i32 %how) {
  %before = load i64, ptr %users
  %after = sub i64 %before, %by
  store i64 %after, ptr %users
  %last = icmp eq i64 %after, 0
  %found = zext i1 %last to i8
  ret i8 %found
}

define double @sqrt(double %x) {
  %found = call double @llvm.sqrt.f64(double %x)
  ret double %found
}

; A single number seen as a list of one.
define i32 @numba_attempt_nocopy_reshape(i64 %from, ptr %lengths, ptr %steps, i64 %to, ptr %new_lengths, ptr %new_steps, i64 %bytes, i32 %order) {
  %one = icmp eq i64 %to, 1
  br i1 %one, label %done, label %no
done:
  store i64 %bytes, ptr %new_steps
  ret i32 1
no:
  call void @llvm.trap()
  unreachable
}

; There is no interpreter whose lock to hold.
define void @numba_gil_ensure(ptr %state) {
  ret void
}

define void @numba_gil_release(ptr %state) {
  ret void
}

define void @NRT_Free(ptr %block) {
  ret void
}

declare i32 @llvm.wasm.memory.size.i32(i32)
declare i32 @llvm.wasm.memory.grow.i32(i32, i32)
declare void @llvm.trap()
declare double @llvm.sqrt.f64(double)
