//! The X server behind the window, on systems that have one: it may die without taking the show with it, and it is to
//! keep the display on.
//!
//! Xlib ends the whole process when its server is gone, unless it is told otherwise (`XSetIOErrorExitHandler`, libX11 1.7
//! of 2020 and newer; with an older one the process ends as before). Main thread; the library is the one that winit has
//! loaded.

#[cfg(all(unix, not(target_os = "macos")))]
mod x {
    use std::ffi::{CStr, c_int, c_void};
    use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

    use bevy::prelude::{Added, Local, Query, Res, Time};
    use bevy::window::RawHandleWrapper;
    use wgpu::rwh::RawDisplayHandle;

    type Fatal = extern "C" fn(*mut c_void) -> c_int;
    type Exit = extern "C" fn(*mut c_void, *mut c_void);

    static LOST: AtomicBool = AtomicBool::new(false);
    static DISPLAY: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

    /// A screen saver waits for a minute at least.
    const RESET_EVERY_S: f32 = 20.0;

    /// Whether the X server is gone.
    pub fn is_lost() -> bool {
        LOST.load(Ordering::Relaxed)
    }

    /// Whether there is an X server that is told to keep the display on.
    pub fn keeps_on() -> bool {
        !DISPLAY.load(Ordering::Relaxed).is_null() && !is_lost() && !function(c"XResetScreenSaver").is_null()
    }

    extern "C" fn fatal(_display: *mut c_void) -> c_int {
        LOST.store(true, Ordering::Relaxed);
        0
    }

    extern "C" fn exit(_display: *mut c_void, _data: *mut c_void) {}

    /// A function of the libX11 that is loaded already; null where there is none.
    fn function(name: &CStr) -> *mut c_void {
        // SAFETY: both are called with strings that end in a zero, and RTLD_NOLOAD runs no code of the library's.
        unsafe {
            let library = libc::dlopen(c"libX11.so.6".as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
            if library.is_null() { std::ptr::null_mut() } else { libc::dlsym(library, name.as_ptr()) }
        }
    }

    /// When the first window is there, its server's death is made survivable.
    pub fn survive(handles: Query<&RawHandleWrapper, Added<RawHandleWrapper>>) {
        for handle in &handles {
            let RawDisplayHandle::Xlib(x) = handle.get_display_handle() else { continue };
            let Some(display) = x.display else { continue };
            if DISPLAY.swap(display.as_ptr(), Ordering::Relaxed) == display.as_ptr() {
                continue;
            }
            let (on_error, on_exit) = (function(c"XSetIOErrorHandler"), function(c"XSetIOErrorExitHandler"));
            if on_error.is_null() || on_exit.is_null() {
                continue;
            }
            // SAFETY: these are Xlib's functions by their documented C signatures, the display is one that winit keeps
            // open until the event loop is dropped, and the handlers only set a flag.
            unsafe {
                let set: extern "C" fn(Fatal) -> *mut c_void = std::mem::transmute(on_error);
                set(fatal);
                let set: extern "C" fn(*mut c_void, Exit, *mut c_void) = std::mem::transmute(on_exit);
                set(display.as_ptr(), exit, std::ptr::null_mut());
            }
        }
    }

    /// Tells the X server now and then that somebody is there, for its own screen saver and its power saving.
    pub fn stay_on(time: Res<Time>, mut last_s: Local<f32>) {
        let display = DISPLAY.load(Ordering::Relaxed);
        if display.is_null() || is_lost() || time.elapsed_secs() - *last_s < RESET_EVERY_S {
            return;
        }
        *last_s = time.elapsed_secs();
        let reset = function(c"XResetScreenSaver");
        if !reset.is_null() {
            // SAFETY: Xlib's function by its documented C signature, on the display that winit keeps open; winit makes
            // Xlib safe for threads (XInitThreads), and this is its own thread besides.
            unsafe {
                let reset: extern "C" fn(*mut c_void) -> c_int = std::mem::transmute(reset);
                reset(display);
            }
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
pub use x::{is_lost, keeps_on, stay_on, survive};

/// There is no X server elsewhere.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub fn is_lost() -> bool {
    false
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
pub fn keeps_on() -> bool {
    false
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
pub fn survive() {}

#[cfg(not(all(unix, not(target_os = "macos"))))]
pub fn stay_on() {}
