//! What there is to show on: graphics adapters, displays, and whether a window could open, asked without opening one.

use super::VisualsError;

/// A graphics adapter, for lists.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Adapter {
    pub name: String,
    /// `Vulkan`, `Metal` or `DX12`.
    pub backend: String,
    pub driver: String,
    /// Draws with the processor, and so takes time from the model.
    pub software: bool,
}

/// A display that is plugged in.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Display {
    pub name: String,
    pub width: u32,
    pub height: u32,
    /// Its upper left corner among the displays, in pixels.
    pub x: i32,
    pub y: i32,
    pub primary: bool,
}

impl Display {
    /// By what displays are counted, in lists and by `--display`: from left to right, then from top to bottom. A windowing
    /// system has no order of its own that would be the same twice.
    pub fn place(&self) -> (i32, i32, &str) {
        (self.x, self.y, &self.name)
    }
}

impl std::fmt::Display for Display {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Display { name, width, height, x, y, primary } = self;
        let name = if name.is_empty() { "(without a name)" } else { name };
        write!(f, "{name}: {width}x{height} at {x},{y}{}", if *primary { ", primary" } else { "" })
    }
}

/// The place of the display that is meant: the one with this number, counted from 1, else the first whose name has this
/// part, whatever its case.
pub fn choose(displays: &[Display], wanted: &str) -> Option<usize> {
    let number = wanted.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < displays.len());
    let part = wanted.trim().to_lowercase();
    number.or_else(|| displays.iter().position(|d| !part.is_empty() && d.name.to_lowercase().contains(&part)))
}

/// Every display that is plugged in, in the order in which they are counted. To be called once in a program's life, on its main thread, and not by one that
/// opens a window: the windowing system lists them only to an event loop, and a process has one.
///
/// # Errors
/// There is no display, or it does not answer; one line that says so.
pub fn plugged_in() -> Result<Vec<Display>, String> {
    display()?;
    let mut displays = list()?;
    displays.sort_by(|a, b| a.place().cmp(&b.place()));
    Ok(displays)
}

#[cfg(feature = "window")]
fn list() -> Result<Vec<Display>, String> {
    use winit::application::ApplicationHandler;
    use winit::event_loop::{ActiveEventLoop, EventLoop};

    struct Listing(Vec<Display>);
    impl ApplicationHandler for Listing {
        fn resumed(&mut self, event_loop: &ActiveEventLoop) {
            let primary = event_loop.primary_monitor();
            self.0 = event_loop
                .available_monitors()
                .map(|monitor| Display {
                    name: monitor.name().unwrap_or_default(),
                    width: monitor.size().width,
                    height: monitor.size().height,
                    x: monitor.position().x,
                    y: monitor.position().y,
                    primary: primary.as_ref() == Some(&monitor),
                })
                .collect();
            event_loop.exit();
        }

        fn window_event(&mut self, _: &ActiveEventLoop, _: winit::window::WindowId, _: winit::event::WindowEvent) {}
    }
    let mut listing = Listing(Vec::new());
    EventLoop::new().and_then(|event_loop| event_loop.run_app(&mut listing)).map_err(|e| e.to_string())?;
    Ok(listing.0)
}

#[cfg(not(feature = "window"))]
fn list() -> Result<Vec<Display>, String> {
    Err("this xiao was built without the window, which lists them".to_string())
}

/// Every graphics adapter of this machine.
pub fn adapters() -> Vec<Adapter> {
    let all = pollster::block_on(instance().enumerate_adapters(backends()));
    all.iter().map(|adapter| describe(&adapter.get_info())).collect()
}

/// The adapter that frames are drawn with.
pub(super) fn adapter() -> Result<wgpu::Adapter, VisualsError> {
    pollster::block_on(instance().request_adapter(&wgpu::RequestAdapterOptions::default()))
        .map_err(|_| VisualsError::NoAdapter)
}

fn describe(info: &wgpu::AdapterInfo) -> Adapter {
    Adapter {
        name: info.name.clone(),
        backend: format!("{:?}", info.backend),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        software: info.device_type == wgpu::DeviceType::Cpu,
    }
}

fn backends() -> wgpu::Backends {
    wgpu::Backends::PRIMARY
}

fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: backends(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

/// Whether a window could open, asked without opening one; else why not, and what would help.
pub fn display_available() -> Result<(), String> {
    if !cfg!(feature = "window") {
        return Err("this xiao was built without the window; build it with the feature `window`".to_string());
    }
    display()?;
    adapter().map(drop).map_err(|e| e.to_string())
}

/// Windows and macOS always have a display.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(super) fn display() -> Result<(), String> {
    Ok(())
}

/// Whether the X server that `DISPLAY` names takes connections.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn display() -> Result<(), String> {
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    match (set("DISPLAY"), set("WAYLAND_DISPLAY")) {
        (Some(display), _) => reach(&display).map_err(|e| format!("the X display {display:?} cannot be reached: {e}")),
        (None, Some(_)) => Err("Wayland without XWayland: DISPLAY is not set; start XWayland".to_string()),
        (None, None) => Err("there is no display: DISPLAY is not set".to_string()),
    }
}

/// Connects to an X display as its name says: `:0` by its socket, `host:0` by TCP.
#[cfg(all(unix, not(target_os = "macos")))]
fn reach(display: &str) -> Result<(), String> {
    use std::net::{TcpStream, ToSocketAddrs};
    use std::os::unix::net::UnixStream;

    let (host, number) = display.rsplit_once(':').ok_or("its name has no `:`")?;
    let number = number.split('.').next().unwrap_or_default();
    let number: u16 = number.parse().map_err(|_| "its name does not end in a number".to_string())?;
    if host.is_empty() || host == "unix" {
        let path = format!("/tmp/.X11-unix/X{number}");
        return match UnixStream::connect(&path) {
            Ok(_) => Ok(()),
            Err(e) => hidden_socket(&path).map_err(|_| e.to_string()),
        };
    }
    let port = number.checked_add(6000).ok_or("its number is too large")?;
    let mut addresses = (host, port).to_socket_addrs().map_err(|e| e.to_string())?;
    let address = addresses.next().ok_or("its host has no address")?;
    TcpStream::connect_timeout(&address, std::time::Duration::from_secs(2)).map(drop).map_err(|e| e.to_string())
}

/// Linux's sockets without a file, which X servers in containers use.
#[cfg(target_os = "linux")]
fn hidden_socket(path: &str) -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(path)?;
    std::os::unix::net::UnixStream::connect_addr(&address).map(drop)
}

#[cfg(all(unix, not(target_os = "macos"), not(target_os = "linux")))]
fn hidden_socket(_path: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_display_is_meant_by_its_number_or_a_part_of_its_name() {
        let named = |name: &str| Display { name: name.into(), width: 1, height: 1, x: 0, y: 0, primary: false };
        let displays = ["eDP-1", "HDMI-A-2", ""].map(named);
        let chosen = ["1", "3", "hdmi", " 2 ", "-1", "4", "dvi", ""].map(|wanted| choose(&displays, wanted));
        assert_eq!(chosen, [Some(0), Some(2), Some(1), Some(1), Some(0), None, None, None]);
        assert_eq!(displays[1].to_string(), "HDMI-A-2: 1x1 at 0,0");
    }

    #[test]
    fn a_display_that_is_not_there_is_said_plainly() {
        assert!(reach("nonsense").unwrap_err().contains("no `:`"));
        assert!(reach(":x").unwrap_err().contains("number"));
        assert!(reach(":64999").is_err());
        assert!(reach("127.0.0.1:65000").unwrap_err().contains("too large"));
    }
}
