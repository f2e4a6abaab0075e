//! Draws whole modules on whatever adapter there is, eight pixels square, and reads the light back. Tests only.

use wgpu::util::DeviceExt;

const SIDE: u32 = 8;

/// Red, green, blue and alpha of each pixel, top left first; nothing without an adapter. `numbers` fill `u`.
pub fn draw(wgsl: &str, numbers: &[f32]) -> Option<Vec<[f32; 4]>> {
    let mut instance = wgpu::InstanceDescriptor::new_without_display_handle();
    instance.backends = wgpu::Backends::PRIMARY;
    let instance = wgpu::Instance::new(instance);
    let Ok(adapter) = pollster::block_on(instance.request_adapter(&Default::default())) else {
        eprintln!("no graphics adapter; nothing was drawn");
        return None;
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&Default::default())).unwrap();
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(wgsl.into()),
    });
    let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    let uniforms = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: None,
        contents: &bytes,
        usage: wgpu::BufferUsages::UNIFORM,
    });
    let texture = |format, usage| {
        let size = wgpu::Extent3d { width: SIDE, height: SIDE, depth_or_array_layers: 1 };
        let (mip_level_count, sample_count, dimension) = (1, 1, wgpu::TextureDimension::D2);
        let (label, view_formats) = (None, &[][..]);
        let descriptor = wgpu::TextureDescriptor {
            label,
            size,
            mip_level_count,
            sample_count,
            dimension,
            format,
            usage,
            view_formats,
        };
        device.create_texture(&descriptor)
    };
    let format = wgpu::TextureFormat::Rgba32Float;
    let target = texture(format, wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC);
    // Its content is zero: no words, a black frame before.
    let read = texture(wgpu::TextureFormat::Rgba8Unorm, wgpu::TextureUsages::TEXTURE_BINDING);
    let stage = wgpu::ShaderStages::VERTEX_FRAGMENT;
    let entry = |binding, ty| wgpu::BindGroupLayoutEntry { binding, visibility: stage, ty, count: None };
    let picture = wgpu::BindingType::Texture {
        sample_type: wgpu::TextureSampleType::Float { filterable: true },
        view_dimension: wgpu::TextureViewDimension::D2,
        multisampled: false,
    };
    let block = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    let sampling = wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering);
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &[entry(0, block), entry(1, sampling), entry(2, picture), entry(3, picture)],
    });
    let view = read.create_view(&Default::default());
    let sampler = device.create_sampler(&Default::default());
    let bound = |binding, resource| wgpu::BindGroupEntry { binding, resource };
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &layout,
        entries: &[
            bound(0, uniforms.as_entire_binding()),
            bound(1, wgpu::BindingResource::Sampler(&sampler)),
            bound(2, wgpu::BindingResource::TextureView(&view)),
            bound(3, wgpu::BindingResource::TextureView(&view)),
        ],
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: None,
        layout: Some(&pipeline_layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("xiao_vertex"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: Default::default(),
        depth_stencil: None,
        multisample: Default::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("xiao_fragment"),
            compilation_options: Default::default(),
            targets: &[Some(format.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    let row = 256;
    let back = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(row * SIDE),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    {
        let view = target.create_view(&Default::default());
        let attachment = wgpu::RenderPassColorAttachment {
            view: &view,
            depth_slice: None,
            resolve_target: None,
            ops: Default::default(),
        };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(attachment)],
            ..Default::default()
        });
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.draw(0..3, 0..1);
    }
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
    encoder.copy_texture_to_buffer(
        target.as_image_copy(),
        wgpu::TexelCopyBufferInfo { buffer: &back, layout },
        target.size(),
    );
    queue.submit([encoder.finish()]);
    back.slice(..).map_async(wgpu::MapMode::Read, |_| {});
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let bytes = back.slice(..).get_mapped_range().to_vec();
    let number = |b: &[u8]| f32::from_le_bytes(b.try_into().unwrap());
    let pixels = bytes.chunks_exact(row as usize).flat_map(|line| line[..16 * SIDE as usize].chunks_exact(16));
    Some(pixels.map(|p| std::array::from_fn(|i| number(&p[4 * i..4 * i + 4]))).collect())
}
